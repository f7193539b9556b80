"""Who says where a scene lies: providers, one file each, and the chain that asks them."""

from __future__ import annotations

from alos2.footprint.chain import footprint_report
from alos2.footprint.options import FootprintOptions

__all__ = ["FootprintOptions", "footprint_report"]
