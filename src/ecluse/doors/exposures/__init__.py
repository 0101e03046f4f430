"""An exposure as people read it: a table in a terminal, a page in French."""
