"""G-Portal's datasets of PALSAR-2: one a mode, numbered.

Source: the dataset tree of G-Portal's web interface as public clients keep it (gportal 0.4.0 on
PyPI), 2026: 27004000 to 27004014, in the order of JAXA's mode codes.
"""

from __future__ import annotations

from typing import Final

from alos2.errors import UsageError
from alos2.naming import MODES, Mode

FIRST_DATASET: Final = 27004000

DATASETS: Final[dict[Mode, str]] = {
    mode: str(FIRST_DATASET + number) for number, mode in enumerate(MODES)
}
"""Number of the dataset by mode: ``SBS`` is 27004000, ``VBD`` 27004014."""

_FAMILIES: Final = {
    "SPOTLIGHT": ("SB",),
    "ULTRA-FINE": ("UB",),
    "HIGH-SENSITIVE": ("HB",),
    "FINE": ("FB",),
    "SCANSAR": ("WB", "WW", "VB"),
    "SCANSAR-14MHZ": ("WB",),
    "SCANSAR-28MHZ": ("WW",),
    "SCANSAR-490KM": ("VB",),
}
"""Words for modes, and what the codes begin with."""


def mode_of(dataset: str) -> Mode | None:
    """Return the mode that a dataset's number stands for; None if it is another satellite's."""
    return next((mode for mode, number in DATASETS.items() if number == dataset), None)


def datasets_of(mode: str | None) -> tuple[str, ...]:
    """Return the numbers of the datasets that `mode` means.

    Parameters
    ----------
    mode : str or None
        A code (``FBD``), the two letters that codes begin with (``FB``), a word (``fine``,
        ``scansar``), or several of them with commas between; None for all modes. The catalogue
        must be told datasets: a query without one was seen not to answer within a minute.

    Raises
    ------
    UsageError
        There is no such mode.
    """
    if mode is None or not mode.strip():
        return tuple(DATASETS.values())
    chosen: dict[str, None] = {}
    for word in mode.upper().split(","):
        chosen.update(dict.fromkeys(_datasets_of_one(word.strip())))
    return tuple(chosen)


def _datasets_of_one(word: str) -> list[str]:
    starts = _FAMILIES.get(word, (word,) if len(word) >= 2 else ())
    found = [mode for mode in MODES if mode.startswith(starts)]
    if not found:
        words = ", ".join(name.lower() for name in _FAMILIES)
        raise UsageError(
            f"{word!r} is not a mode of PALSAR-2",
            hint=f"give one of {', '.join(MODES)}, its first two letters, or one of {words}",
        )
    return [DATASETS[m] for m in found]
