"""The pages of the site: each module gives those of one sort, from the facts."""
