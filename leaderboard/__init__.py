"""How it is shown: entries become tables, and tables a static site."""
