"""An incident as pages and papers in French."""
