"""What a search may ask, and the token that says where its next page begins."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from alos2.catalogue.embedded.areas import Box
from alos2.errors import UsageError
from alos2.types import POLARIZATIONS, Json

SORTS: Final = {
    "time": "i.time_us",
    "id": "i.id",
    "created": "ifnull(i.created, '')",
    "dataset": "ifnull(i.dataset, '')",
    "level": "ifnull(i.level, '')",
    "mode": "ifnull(i.mode, '')",
    "path": "ifnull(i.path, -1)",
    "frame": "ifnull(i.frame, '')",
    "orbit": "ifnull(i.orbit, -1)",
    "off_nadir": "ifnull(i.off_nadir, -1.0)",
}
"""By what can be sorted: a minus before the name turns it round. What is not known is smallest."""

_DIGEST_CHARACTERS: Final = 12


@dataclass(frozen=True)
class Query:
    """What is looked for: all conditions hold, of several values of one any."""

    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Beginnings of ids, such as a scene's."""
    bbox: Box | None = None
    """West, south, east, north in degrees; west > east crosses the antimeridian."""
    geometry: Json | None = None
    """GeoJSON; footprints that share a point with it are found."""
    start: datetime | None = None
    end: datetime | None = None
    """Observations that last into the time from `start` to `end` (both included) are found."""
    kinds: tuple[str, ...] = ()
    """Names of ``dataset`` or ``type``, in any case: ``ALOS2-L1.1-SLC``, ``alos2_slc_md``."""
    levels: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    polarizations: tuple[str, ...] = ()
    """All of these are there."""
    pass_direction: str | None = None
    look: str | None = None
    paths: tuple[int, ...] = ()
    frames: tuple[str, ...] = ()
    orbits: tuple[int, ...] = ()
    off_nadir: tuple[float, float] | None = None
    """Least and most, degrees."""
    text: str | None = None
    """Words, or beginnings of words; all are there."""
    tags: tuple[str, ...] = ()
    """All of these are there, in any case."""
    sort: tuple[str, ...] = ("-time",)
    """See `SORTS`."""
    limit: int | None = None
    token: str | None = None
    """Of the page before."""

    def check(self) -> None:
        """Refuse what nothing can match.

        Raises
        ------
        UsageError
            It contradicts itself, or names what does not exist.
        """
        for name in self.sort:
            if name.lstrip("+-") not in SORTS:
                raise UsageError(f"nothing is sorted by {name!r}", hint=f"by {', '.join(SORTS)}")
        if self.start is not None and self.end is not None and self.end < self.start:
            raise UsageError(f"{self.end} lies before {self.start}", hint="the earlier time first")
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"a limit of {self.limit} finds nothing", hint="ask for one or more")
        wrong = [name for name in self.polarizations if name not in POLARIZATIONS]
        if wrong:
            raise UsageError(
                f"{wrong[0]!r} is no polarisation", hint=f"one of {', '.join(POLARIZATIONS)}"
            )
        for value, words in ((self.pass_direction, "AD"), (self.look, "LR")):
            if value is not None and value not in tuple(words):
                raise UsageError(f"{value!r} is not one of {', '.join(words)}", hint="one letter")

    def digest(self) -> str:
        """Return what tells this query from another, whatever the page."""
        asked = replace(self, limit=None, token=None)
        text = json.dumps(asked.__dict__, sort_keys=True, default=str)
        return hashlib.sha256(text.encode(), usedforsecurity=False).hexdigest()[:_DIGEST_CHARACTERS]

    def after(self) -> list[Any] | None:
        """Return the sort values of the last hit of the page before; None on the first page.

        Raises
        ------
        UsageError
            The token is not one, or another query's.
        """
        if self.token is None:
            return None
        try:
            padded = self.token + "=" * (-len(self.token) % 4)
            digest, values = json.loads(base64.urlsafe_b64decode(padded))
        except (ValueError, TypeError, binascii.Error) as error:
            raise UsageError("the token of the page is not one of ours") from error
        fair = isinstance(values, list) and len(values) == len(self.sort) + 1
        if digest != self.digest() or not fair:
            raise UsageError(
                "the token belongs to another search", hint="repeat the search, or begin it anew"
            )
        return list(values)

    def token_after(self, values: Sequence[Any]) -> str:
        """Return the token of the page behind a hit with these sort values."""
        text = json.dumps([self.digest(), list(values)], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
