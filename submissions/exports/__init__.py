"""An entry's results in the forms of other tools."""
