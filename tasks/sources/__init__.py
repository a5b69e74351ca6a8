"""One file a source: each reads its format into a collection."""
