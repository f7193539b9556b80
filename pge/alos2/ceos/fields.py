"""What a record's table is made of: fields and groups, and how one is read and written.

Offsets count bytes from the beginning of the record, from 0 (JAXA's documents count from 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from alos2.ceos.formats import Format, Value
from alos2.errors import BadRecord

Evidence: TypeAlias = Literal["seen", "readers", "guessed"]
"""How we know: seen in real bytes, known from public readers, or guessed."""

HEADER_BYTES: Final = 12


@dataclass(frozen=True)
class Field:
    """One field, or the same field `count` times."""

    name: str
    """Identifier with its unit, e.g. ``wavelength_m``."""
    offset: int
    """Bytes from the beginning of the record (in a group: of the group's item)."""
    fmt: str
    """Format code, see :mod:`alos2.ceos.formats`."""
    unit: str = ""
    meaning: str = ""
    evidence: Evidence = "seen"
    count: int = 1
    """More than 1: the value is a list."""
    stride: int | None = None
    """Bytes from one repeat to the next; None: they touch."""
    default: int | float | str | None = None
    """What a writer puts where it is given nothing: JAXA's constant."""

    @cached_property
    def format(self) -> Format:
        """The format code, taken apart."""
        return Format.parse(self.fmt)

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Where each repeat lies."""
        width = self.format.width
        step = width if self.stride is None else self.stride
        starts = range(self.offset, self.offset + step * self.count, step)
        return tuple(slice(start, start + width) for start in starts)

    @property
    def end(self) -> int:
        """Offset of the byte behind the last repeat."""
        step = self.format.width if self.stride is None else self.stride
        return self.offset + step * (self.count - 1) + self.format.width


@dataclass(frozen=True)
class Group:
    """Several fields that repeat together, such as state vectors."""

    name: str
    offset: int
    stride: int
    """Bytes from one item to the next."""
    count: int | str
    """Number of items, or the name of the field (before this group) that holds it."""
    fields: tuple[Field, ...]
    meaning: str = ""


Item: TypeAlias = "Field | Group"

HEADER: Final = (
    Field("record_number", 0, "B4", "", "number of the record in its file, from 1"),
    Field("record_codes", 4, "B1", "", "first subtype, type, second and third subtype", count=4),
    Field("record_length", 8, "B4", "bytes", "length of the whole record, these bytes included"),
)
"""How every CEOS record begins."""


class Decoder:
    """Decodes the fields of one record; holds what messages need."""

    def __init__(self, record: str, raw: bytes, where: str, keep_nan: bool) -> None:
        self.record = record
        self.raw = raw
        self.where = where
        self.keep_nan = keep_nan

    def field(self, field: Field, base: int) -> Value:
        """Value of a field at its offset from `base`: a list if it repeats."""
        if field.count == 1:
            place = field.slices[0]
            return self.value(field, base + place.start, base + place.stop)
        return [self.value(field, base + s.start, base + s.stop) for s in field.slices]

    def value(self, field: Field, start: int, stop: int) -> Value:
        """Value of the field's bytes `start` to `stop` of the record.

        Raises
        ------
        BadRecord
            They are not of the field's format.
        """
        piece = self.raw[start:stop]
        try:
            value = field.format.decode(piece)
        except ValueError:
            raise BadRecord(
                f"{self.where}: field {field.name} at byte {start} of the {self.record} record "
                f"holds {piece!r}, expected {field.format.expectation} ({field.fmt})"
            ) from None
        if value != value and not self.keep_nan:  # noqa: PLR0124 - only NaN differs from itself
            return None
        return value

    def group(self, group: Group, items: int, limit: int) -> list[dict[str, Value]]:
        """Values of a group's items, of which `limit` have room.

        Raises
        ------
        BadRecord
            So many do not fit the record.
        """
        if not 0 <= items <= limit:
            raise BadRecord(
                f"{self.where}: the {self.record} record announces {items} {group.name}, "
                f"expected 0 to {limit} in its {len(self.raw)} bytes"
            )
        bases = range(group.offset, group.offset + group.stride * items, group.stride)
        return [{field.name: self.field(field, base) for field in group.fields} for base in bases]


def encode_field(field: Field, value: Any, buffer: bytearray, base: int) -> None:
    """Print a value into a record's bytes.

    Parameters
    ----------
    value : Any
        None blanks the field; a single value of a field that repeats is repeated.

    Raises
    ------
    ValueError
        It does not fit the field, or the number of values is not the field's.
    """
    entries = [value] if field.count == 1 else value
    if entries is None:
        entries = [None] * field.count
    elif field.count > 1 and not isinstance(entries, (list, tuple, np.ndarray)):
        entries = [entries] * field.count
    if len(entries) != field.count:
        raise ValueError(f"{field.name} has {len(entries)} values, expected {field.count}")
    for entry, place in zip(entries, field.slices, strict=True):
        plain = entry.item() if isinstance(entry, np.generic) else entry
        try:
            buffer[base + place.start : base + place.stop] = field.format.encode(plain)
        except ValueError as error:
            raise ValueError(f"{field.name}: {error}") from None
