"""Searching whatever catalogue there is: our own, HySDS's (GRQ), or any STAC API.

`model.Searchable` is what the STAC API and the page need of one; `registry.searchable` opens the
one that is meant by a word: a folder, ``grq``, or the address of a STAC API.
"""
