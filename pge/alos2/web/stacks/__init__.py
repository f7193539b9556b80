"""Finished stacks (datasets ``alos2_stack``) on the map: their layers, tiles and series of pixels.

Everything is read on demand out of the stack's Cloud-Optimised GeoTIFFs, by window and from their
overviews. `model` says which layers an item has, `rasters` holds files open, `numbers` says what
their numbers mean, `sampling` brings them to Web Mercator, `limits` and `drawing` to colours.
"""
