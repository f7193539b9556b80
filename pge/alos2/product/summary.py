"""summary.txt: a pure function from its bytes to keys and typed values.

Lines are ``Section_Key="value"``. What is met in real files and borne here: blanks round ``=``
and inside the quotes, empty values, ``%``, CRLF, a missing last line end, missing quotes,
unknown keys (kept), and repeated keys (all kept in :attr:`Summary.items`; the last one counts).
A line that is none of this is named in :attr:`Summary.problems` and skipped. Bytes that are not
text are refused.

Times are UTC. JAXA writes ``ss`` up to 60 on a leap second (GeoTIFF format description Rev. A);
Python's ``datetime`` cannot, so second 60 rolls over to second 0 of the next minute, as POSIX
time does, and :attr:`Summary.leap_second` says that it happened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from alos2.errors import BadSummary
from alos2.product.model import Problem, SummaryCorners
from alos2.product.summary_keys import known_key
from alos2.product.summary_values import (
    TIME_RE,
    Processing,
    check_value,
    parse_integer,
    parse_number,
    parse_processing,
    parse_time,
)
from alos2.types import LonLat, RasterShape

MAX_SUMMARY_BYTES: Final = 1 << 20
"""A real one has 2 to 3 kB."""

_LINE_RE: Final = re.compile(r'[ \t]*([A-Za-z][A-Za-z0-9_]*)[ \t]*=[ \t]*(?:"(.*)"|([^"]*))[ \t]*')
_FILE_KEY_RE: Final = re.compile(r"Pdi_L(\d\d)ProductFileName(\d{2,3})")
_SHAPE_KEY_RE: Final = re.compile(r"Pdi_NoOf(Pixels|Lines)_(\d{1,4})")
_MAX_REPORTED_LINES: Final = 5


@dataclass(frozen=True)
class Summary:
    """summary.txt as read."""

    name: str
    """Where it came from, for messages."""
    items: tuple[tuple[str, str], ...]
    """Every key and value in the file's order, as they stand between the quotes."""
    problems: tuple[Problem, ...] = ()
    """Lines and values that cannot be read."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Every key once; of repeated keys the last value."""

    def text(self, key: str) -> str | None:
        """Value of `key` without blanks around it; None where absent or empty."""
        return self.values.get(key, "").strip() or None

    def number(self, key: str) -> float | None:
        """Value of `key` as a finite number; None where absent, empty or unreadable."""
        text = self.text(key)
        try:
            return None if text is None else parse_number(text)
        except ValueError:
            return None  # named in `problems` where the key is a number by its table

    def integer(self, key: str) -> int | None:
        """Value of `key` as a whole number; None where absent, empty or unreadable."""
        text = self.text(key)
        try:
            return None if text is None else parse_integer(text)
        except ValueError:
            return None

    def time(self, key: str) -> datetime | None:
        """Value of `key` as UTC (second 60 rolled over); None where absent or unreadable."""
        text = self.text(key)
        try:
            return None if text is None else parse_time(text)[0]
        except ValueError:
            return None

    @property
    def leap_second(self) -> bool:
        """Whether one of the scene's times is in second 60."""
        for place in ("Start", "Center", "End"):
            text = self.text(f"Img_Scene{place}DateTime")
            found = TIME_RE.fullmatch(text) if text else None
            if found and found[4] == "60":
                return True
        return False

    @property
    def processing(self) -> Processing | None:
        """Facility and time of processing."""
        text = self.text("Odi_SiteDateTime")
        try:
            return None if text is None else parse_processing(text)
        except ValueError:
            return None

    def _place(self, prefix: str) -> LonLat | None:
        lon, lat = self.number(f"{prefix}Longitude"), self.number(f"{prefix}Latitude")
        if lon is None or lat is None or abs(lat) > 90.0 or abs(lon) > 360.0:
            return None
        return LonLat(lon, lat)

    def _corners(self, prefix: str) -> SummaryCorners | None:
        left_top, right_top = self._place(f"{prefix}LeftTop"), self._place(f"{prefix}RightTop")
        left_bottom = self._place(f"{prefix}LeftBottom")
        right_bottom = self._place(f"{prefix}RightBottom")
        if not (left_top and right_top and left_bottom and right_bottom):
            return None
        return SummaryCorners(
            left_top, right_top, right_bottom, left_bottom, self._place(f"{prefix}Center")
        )

    @property
    def image_corners(self) -> SummaryCorners | None:
        """The data quadrilateral; None where the summary does not give all four corners."""
        return self._corners("Img_ImageScene")

    @property
    def frame_corners(self) -> SummaryCorners | None:
        """The raster's corners; None where the summary does not give all four."""
        return self._corners("Img_FrameScene")

    @property
    def file_names(self) -> tuple[str, ...]:
        """Names of the product's files, in their numbers' order, of whatever level."""
        numbered = {
            (found[1], int(found[2])): value.strip()
            for key, value in self.values.items()
            if (found := _FILE_KEY_RE.fullmatch(key)) and value.strip()
        }
        return tuple(dict.fromkeys(numbered[number] for number in sorted(numbered)))

    @property
    def file_count(self) -> int | None:
        """Number of files that ``Pdi_CntOfLnnProductFileName`` announces."""
        for key in self.values:
            if key.startswith("Pdi_CntOfL") and key.endswith("ProductFileName"):
                return self.integer(key)
        return None

    @property
    def shapes(self) -> dict[int, RasterShape]:
        """Sizes of the images by the number in the key: 0, or 1.. by ScanSAR beam."""
        numbers = sorted({int(f[2]) for k in self.values if (f := _SHAPE_KEY_RE.fullmatch(k))})
        shapes: dict[int, RasterShape] = {}
        for number in numbers:
            lines = self.integer(f"Pdi_NoOfLines_{number}")
            pixels = self.integer(f"Pdi_NoOfPixels_{number}")
            if lines and pixels and lines > 0 and pixels > 0:
                shapes[number] = RasterShape(lines, pixels)
        return shapes

    @property
    def unknown_keys(self) -> tuple[str, ...]:
        """Keys that JAXA's description does not have."""
        return tuple(key for key in self.values if known_key(key) is None)


def _decode(data: bytes, name: str) -> str:
    if len(data) > MAX_SUMMARY_BYTES:
        raise BadSummary(f"{name} has more than {MAX_SUMMARY_BYTES} bytes: it is no summary")
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode("ascii")
    except UnicodeDecodeError as error:
        raise BadSummary(
            f"{name} is not ASCII text: byte {data[error.start]:#04x} at offset {error.start}"
        ) from None
    for position, letter in enumerate(text):
        if letter < " " and letter not in "\t\r\n":
            raise BadSummary(f"{name} is not text: byte {ord(letter):#04x} at offset {position}")
    return text


def read_summary(data: bytes, name: str = "summary.txt") -> Summary:
    """Read summary.txt.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What messages call it.

    Raises
    ------
    BadSummary
        It is not ASCII text, far too long, or has no ``key="value"`` line at all.
    """
    items: list[tuple[str, str]] = []
    bad: list[tuple[int, str]] = []
    # splitlines() would also split at form feeds and the like; those are refused by _decode.
    for number, line in enumerate(_decode(data, name).splitlines(), start=1):
        if not line.strip():
            continue
        found = _LINE_RE.fullmatch(line)
        if found is None:
            bad.append((number, line))
        else:
            items.append((found[1], found[2] if found[2] is not None else found[3]))
    if not items:
        raise BadSummary(f'{name} has no line of the form key="value"')
    return Summary(
        name=name,
        items=tuple(items),
        problems=(*_line_problems(bad, name), *_value_problems(dict(items), name)),
        values=MappingProxyType(dict(items)),
    )


def _line_problems(bad: list[tuple[int, str]], name: str) -> list[Problem]:
    problems = [
        Problem(
            "bad_summary",
            f'{name} line {number} is not key="value": {line[:60]!r}',
            "summary.txt",
            blocks_ingest=False,
        )
        for number, line in bad[:_MAX_REPORTED_LINES]
    ]
    if len(bad) > _MAX_REPORTED_LINES:
        more = len(bad) - _MAX_REPORTED_LINES
        message = f'{name} has {more} more lines that are not key="value"'
        problems.append(Problem("bad_summary", message, "summary.txt", blocks_ingest=False))
    return problems


def _value_problems(values: Mapping[str, str], name: str) -> list[Problem]:
    problems = []
    for key, value in values.items():
        entry, text = known_key(key), value.strip()
        if entry is None or not text:
            continue
        try:
            check_value(entry, text)
        except ValueError:
            message = f"{name}: {key} is {value!r}, which is not a {entry.kind} ({entry.meaning})"
            problems.append(Problem("bad_summary", message, "summary.txt"))
    return problems
