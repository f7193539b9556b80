"""Where datasets are found again: HySDS's catalogue (GRQ), over REST and nothing but requests.

``GrqCatalogue(Rest("GRQ", url))`` tells whether a dataset is there, and files documents that
`document_of` makes of published datasets. docs/grq.md describes all of it.

What is named here is imported when it is first asked for: the catalogue of an archive of one's own
(`alos2.catalogue.embedded`) needs no requests (0.1 s).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
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

_MODULES: Final = {
    "GrqCatalogue": "grq",
    "Rest": "rest",
    "RestOptions": "rest",
    "Trust": "trust",
    "document_of": "document",
    "grq_document": "document",
    "index_of": "document",
    "trust_for": "trust",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
