"""Broken and hostile input for everything that numpymem reads: `make fuzz`, see __main__.py."""
