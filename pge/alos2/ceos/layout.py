"""Declared record layouts: one table from which bytes are read, written and documented.

A layout is a list of fields and groups (:mod:`alos2.ceos.fields`). Every record begins with the
twelve bytes of :data:`~alos2.ceos.fields.HEADER`. The tables themselves are in the modules beside
this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from alos2.ceos.fields import (
    HEADER,
    HEADER_BYTES,
    Decoder,
    Evidence,
    Field,
    Group,
    Item,
    encode_field,
)
from alos2.ceos.formats import Value
from alos2.errors import BadRecord

__all__ = ["HEADER", "HEADER_BYTES", "Evidence", "Field", "Group", "RecordLayout", "Value"]

RecordCodes: TypeAlias = tuple[int, int, int, int]
"""First subtype, type, second subtype, third subtype of a record."""


@dataclass(frozen=True)
class RecordLayout:
    """The table of one kind of record."""

    name: str
    """In words, e.g. ``data set summary``."""
    codes: RecordCodes | None
    """The record's type codes; None: any."""
    length: int | None
    """Usual length in bytes, which a writer takes by default; a reader takes the record's own."""
    items: tuple[Item, ...]
    prefix: bool = False
    """The table covers only the beginning of a record (pixels follow), and unset bytes are zero."""

    @cached_property
    def extent(self) -> int:
        """Bytes that a record must at least have to hold all its fields (groups aside)."""
        return max([HEADER_BYTES, *(item.end for item in self.items if isinstance(item, Field))])

    def field(self, name: str) -> Field:
        """Find the field of this name (header included).

        Raises
        ------
        KeyError
            There is none.
        """
        for item in (*HEADER, *self.items):
            if item.name == name and isinstance(item, Field):
                return item
        raise KeyError(name)

    def room(self, group: Group, length: int) -> int:
        """Count the items of a group that fit between it and the next field, or the record's end.

        Parameters
        ----------
        length : int
            Length of the record, bytes.
        """
        later = [item.offset for item in self.items if item.offset > group.offset]
        return max(min([length, *later]) - group.offset, 0) // group.stride

    def decode(
        self, data: bytes | memoryview, *, where: str, keep_nan: bool = False
    ) -> dict[str, Any]:
        """Bytes of a record to its values by name.

        Parameters
        ----------
        data : bytes
            The record from its first byte; more bytes than the table covers do no harm.
        where : str
            File and offset, for messages.
        keep_nan : bool
            Give ``math.nan`` where a field says ``NAN``, and not None, so that encoding the result
            gives the same bytes.

        Returns
        -------
        dict
            ``record_number``, ``record_length`` and one value a field: None where it is blank, a
            list where it repeats; a list of dicts for a group.

        Raises
        ------
        BadRecord
            Wrong type codes, too short, or a field that is not of its format.
        """
        raw = bytes(data)
        values = self._decode_header(raw, where)
        decoder = Decoder(self.name, raw, where, keep_nan)
        for item in self.items:
            if isinstance(item, Field):
                values[item.name] = decoder.field(item, 0)
            else:
                items = item.count if isinstance(item.count, int) else values[item.count]
                values[item.name] = decoder.group(item, items or 0, self.room(item, len(raw)))
        return values

    def _decode_header(self, raw: bytes, where: str) -> dict[str, Any]:
        if len(raw) < self.extent:
            raise BadRecord(
                f"{where}: the {self.name} record has {len(raw)} bytes, "
                f"expected at least {self.extent}"
            )
        codes = tuple(raw[4:8])
        if self.codes is not None and codes != self.codes:
            raise BadRecord(
                f"{where}: the record's type is {_print_codes(codes)}, "
                f"expected {_print_codes(self.codes)} ({self.name})"
            )
        return {
            "record_number": int.from_bytes(raw[0:4], "big"),
            "record_length": int.from_bytes(raw[8:12], "big"),
        }

    def encode(
        self, values: Mapping[str, Any], *, sequence: int, length: int | None = None
    ) -> bytes:
        """Values by name to the bytes of a record; what is not given is blank (or the default).

        Parameters
        ----------
        values : Mapping
            As from :meth:`decode`; ``record_number`` and ``record_length`` are ignored. None gives
            a blank field, ``math.nan`` the word ``NAN``.
        sequence : int
            Number of the record in its file, from 1.
        length : int, optional
            Length that the header states, bytes; by default the layout's.

        Returns
        -------
        bytes
            The record; for a prefix only its prefix.

        Raises
        ------
        ValueError
            An unknown name, or a value that does not fit its field.
        """
        stated = self.length if length is None else length
        if stated is None or stated < self.extent:
            raise ValueError(f"a {self.name} record cannot have {stated} bytes")
        known = {item.name for item in (*HEADER, *self.items)}
        if not known.issuperset(values):
            unknown = ", ".join(sorted(set(values) - known))
            raise ValueError(f"the {self.name} record has no field {unknown}")
        size = self.length or self.extent if self.prefix else stated
        buffer = bytearray((b"\0" if self.prefix else b" ") * size)
        buffer[0:4] = HEADER[0].format.encode(sequence)
        buffer[4:8] = bytes(self.codes or (0, 0, 0, 0))
        buffer[8:12] = HEADER[2].format.encode(stated)
        full = self._with_counts(values)
        for item in self.items:
            if isinstance(item, Field):
                encode_field(item, full.get(item.name, item.default), buffer, 0)
            else:
                self._encode_group(item, full, buffer)
        return bytes(buffer)

    def _with_counts(self, values: Mapping[str, Any]) -> dict[str, Any]:
        full = dict(values)
        for item in self.items:
            if isinstance(item, Group) and isinstance(item.count, str) and item.name in full:
                full.setdefault(item.count, len(full[item.name]))
        return full

    def _encode_group(self, group: Group, values: Mapping[str, Any], buffer: bytearray) -> None:
        entries: Sequence[Mapping[str, Any]] = values.get(group.name) or []
        expected = group.count if isinstance(group.count, int) else values.get(group.count) or 0
        if len(entries) != expected:
            raise ValueError(f"{group.name} has {len(entries)} items, its count says {expected}")
        limit = self.room(group, len(buffer))
        if len(entries) > limit:
            raise ValueError(f"{len(entries)} {group.name} do not fit, {limit} would")
        names = {field.name for field in group.fields}
        for number, entry in enumerate(entries):
            if not names.issuperset(entry):
                unknown = ", ".join(sorted(set(entry) - names))
                raise ValueError(f"{group.name} has no field {unknown}")
            base = group.offset + number * group.stride
            for field in group.fields:
                encode_field(field, entry.get(field.name, field.default), buffer, base)

    def dtype(self, itemsize: int | None = None) -> np.dtype[Any]:
        """Give the table as a big-endian numpy structure (binary layouts only).

        For many records at once: view a file's records, or fill the prefixes of a block of lines.

        Parameters
        ----------
        itemsize : int, optional
            Bytes from one record to the next; by default the layout's length.

        Raises
        ------
        ValueError
            A field is text, or the layout has groups.
        """
        names, formats, offsets = [], [], []
        fields = [item for item in (*HEADER, *self.items) if isinstance(item, Field)]
        if len(fields) < len(HEADER) + len(self.items):
            raise ValueError(f"the {self.name} record has groups, and so no numpy dtype")
        for item in fields:
            names.append(item.name)
            base = item.format.dtype
            formats.append(base if item.count == 1 else np.dtype((base, (item.count,))))
            offsets.append(item.offset)
        size = itemsize or self.length or self.extent
        return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size})

    def spans(self, values: Mapping[str, Any]) -> Iterator[tuple[str, slice]]:
        """Name and place of every field that `values` has, repeats and groups unrolled."""
        for item in (*HEADER, *self.items):
            if isinstance(item, Field):
                for place in item.slices:
                    yield item.name, place
                continue
            for number in range(len(values[item.name])):
                base = item.offset + number * item.stride
                for field in item.fields:
                    for place in field.slices:
                        name = f"{item.name}[{number}].{field.name}"
                        yield name, slice(base + place.start, base + place.stop)


def _print_codes(codes: Sequence[int]) -> str:
    return ",".join(str(code) for code in codes)
