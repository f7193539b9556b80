"""What is told of a finished scene: its STAC item, and what it meets of CEOS-ARD."""
