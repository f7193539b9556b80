"""The STAC API of an archive: STAC API v1.0.0 and OGC API - Features part 1, to read only."""
