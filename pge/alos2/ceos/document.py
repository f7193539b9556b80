"""The layout tables as a page of documentation: ``python -m alos2.ceos.document``.

``docs/formats/ceos.md`` is this page; a test holds the two together.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from alos2.ceos.fields import HEADER, Field, Group
from alos2.ceos.image_layout import IMAGE_DESCRIPTOR, PROCESSED_PREFIX, SIGNAL_PREFIX
from alos2.ceos.layout import RecordLayout
from alos2.ceos.leader import LEADER_DESCRIPTOR, LEADER_RECORDS
from alos2.ceos.trailer import TRAILER_DESCRIPTOR
from alos2.ceos.volume import FILE_POINTER, TEXT, VOLUME_DESCRIPTOR

ALL_LAYOUTS: Final[dict[str, tuple[RecordLayout, ...]]] = {
    "VOL: volume directory": (VOLUME_DESCRIPTOR, FILE_POINTER, TEXT),
    "LED: leader": (LEADER_DESCRIPTOR, *LEADER_RECORDS.values()),
    "IMG: image": (IMAGE_DESCRIPTOR, SIGNAL_PREFIX, PROCESSED_PREFIX),
    "TRL: trailer": (TRAILER_DESCRIPTOR,),
}
"""Every table, by file, in the order of the files."""

_PREAMBLE: Final = """\
# CEOS records of ALOS-2/PALSAR-2

Made from the tables in `pge/alos2/ceos` by `python -m alos2.ceos.document`; do not edit. The same
tables read products and write simulated ones.

Offsets are in bytes from the beginning of the record, from 0; a length is the usual one, while a
reader takes each record's own. Leader facility records 1 to 4 (ephemeris, time correlation,
coordinate conversion: some 1.6 MB of text) are skipped by their lengths.

| Format | Content |
|---|---|
| `A16`, `AR16` | text, to the left, to the right |
| `I8`, `I2.2` | whole number to the right, with leading zeros |
| `F16.7`, `E22.15` | number, fixed point or with exponent (one digit before the point) |
| `B4`, `S4` | big-endian integer, unsigned, signed |
| `X256` | bytes that are not decoded |

A blank field has no value; a numeric field may also hold the word `NAN`, which is no value either.

| Evidence | Meaning |
|---|---|
| seen | filled in the real level 1.5 product that the tests read |
| readers | blank there, or in records of which no real bytes were at hand; public readers agree |
| guessed | neither |

`mHz` is millihertz and `MHz` megahertz; in names `_mhz` is said of both, so mind the unit.
"""


def layout_tables_markdown() -> str:
    """Print all layout tables as one page of Markdown, ending in a line feed."""
    lines = [_PREAMBLE, "## Every record", "", *_table(list(_field_rows(HEADER, "")))]
    for heading, layouts in ALL_LAYOUTS.items():
        lines += ["", f"## {heading}"]
        for layout in layouts:
            lines += ["", *_section(layout)]
    return "\n".join(lines) + "\n"


def _section(layout: RecordLayout) -> list[str]:
    codes = ", ".join(str(code) for code in layout.codes) if layout.codes else "any"
    length = f"{layout.length} bytes" + (" of prefix, then pixels" if layout.prefix else "")
    rows: list[str] = []
    for item in layout.items:
        rows += _field_rows((item,), "") if isinstance(item, Field) else _group_rows(item)
    return [f"### {layout.name}", "", f"Type {codes}; {length}.", "", *_table(rows)]


def _table(rows: list[str]) -> list[str]:
    return [
        "| Offset | Format | Field | Unit | Meaning | Evidence |",
        "|---|---|---|---|---|---|",
        *rows,
    ]


def _group_rows(group: Group) -> Iterator[str]:
    words = f": {group.meaning}" if group.meaning else ""
    number = f"`{group.count}`" if isinstance(group.count, str) else str(group.count)
    yield (
        f"| {group.offset} | {group.stride} bytes each | `{group.name}` | | "
        f"{number} times{words} | |"
    )
    yield from _field_rows(group.fields, f"{group.name}.", relative=True)


def _field_rows(fields: tuple[Field, ...], parent: str, *, relative: bool = False) -> Iterator[str]:
    for field in fields:
        offset = f"+{field.offset}" if relative else str(field.offset)
        times = f"{field.count} x " if field.count > 1 else ""
        default = "" if field.default is None else f" (written: `{field.default}`)"
        yield (
            f"| {offset} | {times}`{field.fmt}` | `{parent}{field.name}` | {field.unit} | "
            f"{field.meaning}{default} | {field.evidence} |"
        )


if __name__ == "__main__":
    sys.stdout.write(layout_tables_markdown())
