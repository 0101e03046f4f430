"""Letters as a page: accessible HTML, no script, no other file."""
