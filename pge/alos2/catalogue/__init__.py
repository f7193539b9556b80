"""Where datasets are found again: HySDS's catalogue (GRQ), over REST and nothing but requests.

``GrqCatalogue(Rest("GRQ", url))`` tells whether a dataset is there, and files documents that
`document_of` makes of published datasets. docs/grq.md describes all of it.
"""

from __future__ import annotations

from alos2.catalogue.document import document_of, grq_document, index_of
from alos2.catalogue.grq import GrqCatalogue
from alos2.catalogue.rest import Rest, RestOptions
from alos2.catalogue.trust import Trust, trust_for

__all__ = [
    "GrqCatalogue",
    "Rest",
    "RestOptions",
    "Trust",
    "document_of",
    "grq_document",
    "index_of",
    "trust_for",
]
