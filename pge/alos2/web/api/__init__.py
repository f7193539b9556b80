"""What the page asks beside the STAC API: rows, facets, an item's page, stacks, a pixel."""
