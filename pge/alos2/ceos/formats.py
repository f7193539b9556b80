"""How one field is printed: CEOS format codes to Python values and back.

ASCII fields follow Fortran's notation as JAXA prints it: ``A16`` text to the left, ``AR16`` text to
the right, ``I8`` integer to the right, ``I2.2`` integer with leading zeros, ``F16.7`` fixed point,
``E22.15`` exponent with one digit before the point (C's ``%22.15E``, not Fortran's). Binary fields
are big-endian: ``B4`` unsigned, ``S4`` signed. ``X256`` is opaque bytes.

A blank field has no value (None). A numeric field can also hold the word ``NAN`` (seen in the real
map projection record): that decodes to :data:`math.nan` here; the record layouts turn it into None
unless asked to keep it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias

import numpy as np

Value: TypeAlias = "int | float | str | bytes | list[Any] | None"
"""What a field holds; None stands for a blank (or ``NAN``) field."""

_FORMAT_RE: Final = re.compile(r"(AR|[AIFEBSX])(\d+)(?:\.(\d+))?")
_INTEGER_RE: Final = re.compile(rb"[+-]?[0-9]+")
_FLOAT_RE: Final = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:E[+-]?[0-9]+)?", re.IGNORECASE)
_BLANKS: Final = b" \0"
_WORDS: Final = {
    "A": "text",
    "AR": "text",
    "I": "a whole number",
    "F": "a number",
    "E": "a number",
    "B": "an unsigned integer",
    "S": "a signed integer",
    "X": "bytes",
}


@dataclass(frozen=True)
class Format:
    """One format code, taken apart.

    Raises
    ------
    ValueError
        From :meth:`parse`: the code is not one of this module's.
    """

    code: str
    kind: str
    """``A``, ``AR``, ``I``, ``F``, ``E``, ``B``, ``S`` or ``X``."""
    width: int
    """Bytes."""
    decimals: int
    """Digits behind the point (F, E), least digits (I), else 0."""

    @classmethod
    @cache
    def parse(cls, code: str) -> Format:
        """Take a code such as ``F16.7`` apart."""
        found = _FORMAT_RE.fullmatch(code)
        if found is None:
            raise ValueError(f"{code!r} is not a format code")
        kind, width = found[1], int(found[2])
        if width < 1 or (kind in "FE") != (found[3] is not None and kind != "I"):
            raise ValueError(f"{code!r} is not a format code")
        if kind in "BS" and width not in (1, 2, 4, 8):
            raise ValueError(f"{code!r}: a binary integer has 1, 2, 4 or 8 bytes")
        return cls(code, kind, width, int(found[3] or 0))

    @property
    def is_binary(self) -> bool:
        """Whether the field is bytes rather than printed characters."""
        return self.kind in "BSX"

    @property
    def expectation(self) -> str:
        """What a reader expects to find, in words, for messages."""
        return _WORDS[self.kind]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The big-endian numpy dtype of a binary field.

        Raises
        ------
        ValueError
            The field is printed text.
        """
        if not self.is_binary:
            raise ValueError(f"{self.code} is text and has no numpy dtype")
        letter = {"B": ">u", "S": ">i", "X": "V"}[self.kind]
        return np.dtype(f"{letter}{self.width}")

    def decode(self, raw: bytes) -> Value:
        """Bytes of one field to its value; None where it is blank, NaN where it says ``NAN``.

        Raises
        ------
        ValueError
            The bytes are not of this format.
        """
        kind = self.kind
        if kind == "B":
            return int.from_bytes(raw, "big")
        if kind == "S":
            return int.from_bytes(raw, "big", signed=True)
        if kind == "X":
            return raw
        if kind in ("A", "AR"):
            # Only the padding side is stripped, so that encode gives the same bytes again.
            text = raw.rstrip(_BLANKS) if kind == "A" else raw.lstrip(_BLANKS)
            return text.decode("ascii") if text.strip(_BLANKS) else None
        return self._decode_number(raw.strip(_BLANKS))

    def _decode_number(self, text: bytes) -> int | float | None:
        if not text:
            return None
        if text == b"NAN":
            return math.nan
        if self.kind == "I":
            # The expression keeps out what int() would take: underscores, other white space.
            if _INTEGER_RE.fullmatch(text) is None:
                raise ValueError("not a whole number")
            return int(text)
        if _FLOAT_RE.fullmatch(text) is None:
            raise ValueError("not a number")
        value = float(text)
        if math.isinf(value):
            raise ValueError("number too large")
        return value

    def encode(self, value: Value) -> bytes:
        """Value to the bytes of one field; None gives a blank (binary: zero) field.

        Raises
        ------
        ValueError
            The value does not fit the field, or is not of its kind.
        """
        if value is None:
            return (b"\0" if self.is_binary else b" ") * self.width
        if self.kind == "X":
            return self._encode_bytes(value)
        if self.kind in "BS":
            return self._encode_integer(value)
        text = self._print(value)
        if len(text) > self.width or not text.isascii():
            raise ValueError(f"{text!r} does not fit {self.code}")
        adjusted = text.ljust(self.width) if self.kind == "A" else text.rjust(self.width)
        return adjusted.encode("ascii")

    def _print(self, value: Value) -> str:
        if self.kind in ("A", "AR"):
            if not isinstance(value, str):
                raise ValueError(f"{value!r} is not text ({self.code})")
            return value
        if isinstance(value, (str, bytes, list)) or value is None:
            raise ValueError(f"{value!r} is not a number ({self.code})")
        number = float(value)
        if math.isnan(number):
            return "NAN"
        if math.isinf(number):
            raise ValueError(f"{value!r} cannot be printed as {self.code}")
        if self.kind == "I":
            if number != int(value):
                raise ValueError(f"{value!r} is not a whole number ({self.code})")
            return f"{int(value):0{self.decimals}d}" if self.decimals else f"{int(value):d}"
        return f"{number:.{self.decimals}{'f' if self.kind == 'F' else 'E'}}"

    def _encode_integer(self, value: Value) -> bytes:
        if isinstance(value, (str, bytes, list)) or value is None or not math.isfinite(value):
            raise ValueError(f"{value!r} is not an integer ({self.code})")
        number = int(value)
        if number != value:
            raise ValueError(f"{value!r} is not an integer ({self.code})")
        try:
            return number.to_bytes(self.width, "big", signed=self.kind == "S")
        except OverflowError:
            raise ValueError(f"{value!r} does not fit {self.code}") from None

    def _encode_bytes(self, value: Value) -> bytes:
        if not isinstance(value, (bytes, bytearray)) or len(value) > self.width:
            raise ValueError(f"{value!r} is not at most {self.width} bytes ({self.code})")
        return bytes(value).ljust(self.width, b"\0")
