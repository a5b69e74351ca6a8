"""Texts to vectors: each once, kept on disk, on a lattice where they are compared."""
