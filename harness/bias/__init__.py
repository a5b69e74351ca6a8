"""How much a ranking goes by the language of the documents."""
