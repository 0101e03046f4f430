"""A crossing as a table and as a page."""
