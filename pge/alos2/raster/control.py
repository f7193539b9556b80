"""Stopping work that somebody no longer wants."""

from __future__ import annotations

from alos2.errors import Interrupted
from alos2.raster.pictures import Cancelled


def check(cancelled: Cancelled) -> None:
    """Stop here when asked to.

    Raises
    ------
    Interrupted
        `cancelled` says True.
    """
    if cancelled():
        raise Interrupted("drawing the pictures was stopped")
