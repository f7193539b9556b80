"""Values of summary.txt: from text to numbers and times.

JAXA writes ``ss`` up to 60 on a leap second (GeoTIFF format description Rev. A); Python's
``datetime`` cannot, so second 60 rolls over to second 0 of the next minute, as POSIX time does.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple

from alos2.product.summary_keys import SummaryKey

TIME_RE: Final = re.compile(r"(\d{8})[ T]+(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?")
MISSION_YEARS: Final = range(2014, 2100)
"""ALOS-2 was launched in 2014; a time before that is a damaged one."""
_LIMITS: Final[dict[str, tuple[float, float]]] = {
    "m": (0.0, 10_000.0),
    "deg": (0.0, 90.0),
    "MiB": (0.0, 1e7),
}
"""What numbers of a unit can be, with a wide margin."""
_PROCESSING_RE: Final = re.compile(r"PROCESS:\s*(\S+?)-?([A-Z0-9]+)?\s+(\d{8})\s+(\d{6})")


class Processing(NamedTuple):
    """``Odi_SiteDateTime``, taken apart."""

    facility: str | None
    """E.g. ``EICS``."""
    time: datetime
    """UTC."""


def parse_time(text: str) -> tuple[datetime, bool]:
    """Read ``YYYYMMDD hh:mm:ss.ttt``; second 60 rolls over.

    Returns
    -------
    time : datetime
        UTC, to the microsecond.
    leap_second : bool
        Whether the text said second 60.

    Raises
    ------
    ValueError
        It is not such a time.
    """
    found = TIME_RE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a time YYYYMMDD hh:mm:ss.ttt")
    day, hour, minute, second, fraction = found.groups()
    if int(second) > 60:
        raise ValueError(f"second {second} in {text!r}")
    start = _in_mission(datetime.strptime(f"{day}{hour:0>2}{minute}+0000", "%Y%m%d%H%M%z"))
    micro = round(int(fraction) * 10.0 ** (6 - len(fraction))) if fraction else 0
    when = start.astimezone(timezone.utc) + timedelta(seconds=int(second), microseconds=micro)
    return when, int(second) == 60


def _in_mission(when: datetime) -> datetime:
    if when.year not in MISSION_YEARS:
        raise ValueError(f"the year {when.year} is not one of ALOS-2's")
    return when


def parse_number(text: str) -> float:
    """Read a finite number.

    Raises
    ------
    ValueError
        It is none.
    """
    value = float(text)
    if not math.isfinite(value) or "_" in text:
        raise ValueError(f"{text!r} is not a number")
    return value


def parse_integer(text: str) -> int:
    """Read a whole number of at most 18 digits.

    Raises
    ------
    ValueError
        It is none.
    """
    if not re.fullmatch(r"[+-]?\d{1,18}", text):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def parse_processing(text: str) -> Processing:
    """Read ``PROCESS:JAPAN-JAXA-ALOS2-EICS  20150320 080952``.

    Raises
    ------
    ValueError
        It is not that.
    """
    found = _PROCESSING_RE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not PROCESS:<site>  YYYYMMDD HHMMSS")
    when = _in_mission(datetime.strptime(found[3] + found[4] + "+0000", "%Y%m%d%H%M%S%z"))
    return Processing(found[2], when.astimezone(timezone.utc))


def check_value(key: SummaryKey, text: str) -> None:
    """Check that `text` is what `key` holds.

    Raises
    ------
    ValueError
        It is not.
    """
    if key.kind == "integer":
        parse_integer(text)
    elif key.kind == "number":
        low, high = _LIMITS.get(key.unit, (-math.inf, math.inf))
        if not low <= parse_number(text) <= high:
            raise ValueError(f"{text!r} is not within {low:g} to {high:g}")
    elif key.kind in ("latitude", "longitude"):
        limit = 90.0 if key.kind == "latitude" else 360.0
        if abs(parse_number(text)) > limit:
            raise ValueError(f"{text!r} is not a {key.kind}")
    elif key.kind == "time":
        parse_time(text)
    elif key.kind == "day":
        _in_mission(datetime.strptime(text + "+0000", "%Y%m%d%z"))
    elif key.kind == "processing":
        parse_processing(text)
