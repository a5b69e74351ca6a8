"""How it is answered: models, encoding, exact ranks, measures, significance."""
