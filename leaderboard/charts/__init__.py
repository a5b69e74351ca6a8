"""Charts of the site: their geometry is computed here, and drawn by ``templates/charts``."""
