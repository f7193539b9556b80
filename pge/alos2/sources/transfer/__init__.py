"""The transfer engine: any `Remote` becomes a whole, checked file, resumed where it can be.

`transfer` takes one, `transfer_all` several at once. See the modules for how: ``engine`` decides
what may be joined, ``sink`` writes and hashes, ``sidecar`` remembers, ``waits`` is patient.
"""

from __future__ import annotations

from alos2.sources.transfer.checks import Check, ZipCheck, zip_check
from alos2.sources.transfer.engine import transfer
from alos2.sources.transfer.pool import Wanted, transfer_all

__all__ = ["Check", "Wanted", "ZipCheck", "transfer", "transfer_all", "zip_check"]
