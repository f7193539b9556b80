"""Where products come from: one function, one small protocol, one registry by URL scheme.

``fetch("https://...", work_dir)`` streams a zip to `work_dir`; ``fetch("/data/x.zip", work_dir)``
and ``fetch("file:///data/x.zip", work_dir)`` only say where it is. Other schemes are plugins: an
entry point of the group ``alos2.sources``, named as the scheme, that is a callable without
arguments and returns a `Source`.
"""

from __future__ import annotations

from alos2.sources.model import (
    Cancelled,
    Fetched,
    Source,
    TransferOptions,
    TransferProgress,
)
from alos2.sources.registry import ENTRY_POINT_GROUP, fetch, supported_schemes

__all__ = [
    "ENTRY_POINT_GROUP",
    "Cancelled",
    "Fetched",
    "Source",
    "TransferOptions",
    "TransferProgress",
    "fetch",
    "supported_schemes",
]
