"""A folder or zip becomes typed products."""
