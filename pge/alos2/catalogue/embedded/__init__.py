"""The catalogue of an archive of one's own: SQLite beside the datasets, no server.

``EmbeddedCatalogue.open(archive)`` gives it; docs/catalogue.md describes all of it.
"""

from __future__ import annotations

from alos2.catalogue.embedded.catalogue import EmbeddedCatalogue
from alos2.catalogue.embedded.query import Query
from alos2.catalogue.embedded.rebuild import Rebuilt
from alos2.catalogue.embedded.searching import Hit, Page

__all__ = ["EmbeddedCatalogue", "Hit", "Page", "Query", "Rebuilt"]
