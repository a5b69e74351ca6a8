"""One file a kind of model, and the door that finds the kind from what the user names."""
