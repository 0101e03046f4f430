"""Cards that people read: an explanation as a small chart with its reasons, in HTML and in plain characters."""
