"""Commands of this room, one file a command."""
