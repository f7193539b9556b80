"""Numbers as people say them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_SHOWN: Final = 3
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def share_text(share: float) -> str:
    """Return a share as per cent: never 100 % of what has holes, or 0 % of what there is."""
    text = f"{100 * share:.0f} %"
    if text == "100 %" and share < 0.9995:
        return f"{int(1000 * share) / 10:.1f} %"
    return f"{100 * share:.1f} %" if text == "0 %" and share > 0 else text


def size_text(size_bytes: float) -> str:
    """Return a size in bytes (powers of 1000)."""
    size = float(size_bytes)
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.0f} {unit}" if size >= 10 or unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} {_UNITS[-1]}"


def count_text(number: int, one: str, many: str | None = None) -> str:
    """Return how many there are of something."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def some_text(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
