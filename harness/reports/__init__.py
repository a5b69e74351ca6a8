"""A comparison as text, JSON, CSV and LaTeX: one file a form."""
