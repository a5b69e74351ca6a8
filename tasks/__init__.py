"""What is asked: data sets as queries, corpora and judgments, and the settings between them."""

__version__ = "0.1.0"
