from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alos2.ceos.formats import Format


@pytest.mark.parametrize(
    ("code", "value", "raw"),
    [
        ("A8", "EICS", b"EICS    "),
        ("AR8", "13 4PB", b"  13 4PB"),
        ("AR4", "1", b"   1"),
        ("I6", -12, b"   -12"),
        ("I2.2", 0, b"00"),
        ("F16.7", -83.0, b"     -83.0000000"),
        ("F16.5", 1e7, b"  10000000.00000"),
        ("F8.3", -109.521, b"-109.521"),
        ("E16.7", 8.0733624e11, b"   8.0733624E+11"),
        ("E22.15", 15600.0, b" 1.560000000000000E+04"),
        ("E20.10", -1e-43, b"   -1.0000000000E-43"),
        ("B2", 65535, b"\xff\xff"),
        ("S4", -1, b"\xff\xff\xff\xff"),
        ("B8", 1 << 63, b"\x80" + b"\0" * 7),
        ("X3", b"\0a\0", b"\0a\0"),
    ],
)
def test_prints_and_reads_as_jaxa_does(code: str, value: object, raw: bytes) -> None:
    form = Format.parse(code)
    assert form.encode(value) == raw  # type: ignore[arg-type]
    assert form.decode(raw) == value


@pytest.mark.parametrize("code", ["A8", "AR8", "I8", "F8.3", "E8.1"])
def test_blank_is_none_both_ways(code: str) -> None:
    form = Format.parse(code)
    assert form.decode(b" " * 8) is None
    assert form.decode(b"\0" * 8) is None
    assert form.encode(None) == b" " * 8


def test_binary_none_is_zero() -> None:
    assert Format.parse("S4").encode(None) == b"\0" * 4


@pytest.mark.parametrize("code", ["I16", "F16.7", "E16.7"])
def test_nan_word(code: str) -> None:
    raw = b"             NAN"
    value = Format.parse(code).decode(raw)
    assert isinstance(value, float)
    assert math.isnan(value)
    assert Format.parse(code).encode(math.nan) == raw


@pytest.mark.parametrize(
    ("code", "raw"),
    [
        ("I4", b"1_00"),
        ("I4", b" 1.0"),
        ("I4", b"1\t2 "),
        ("I4", b"0x1f"),
        ("F8.3", b"1_0.0   "),
        ("F8.3", b"     inf"),
        ("F8.3", b"     nan"),
        ("F8.3", b" 1.0 2.0"),
        ("F8.3", b"********"),
        ("E8.1", b"1.0E+999"),
        ("F8.3", b"\xb1.000   "),
        ("A4", b"\xe1bcd"),
    ],
)
def test_refuses_what_only_python_would_take(code: str, raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the type is the contract here
        Format.parse(code).decode(raw)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("A4", "ABCDE"),
        ("A4", "\N{MICRO SIGN}"),
        ("A4", 5),
        ("I3", 1000),
        ("I3", 1.5),
        ("I3", "1"),
        ("F8.3", -10000.0),
        ("F8.3", math.inf),
        ("F8.3", "1.0"),
        ("B2", 65536),
        ("B2", -1),
        ("S2", 32768),
        ("S2", 1.5),
        ("S2", math.inf),
        ("S2", math.nan),
        ("X2", b"abc"),
        ("X2", 3),
    ],
)
def test_refuses_to_write_what_does_not_fit(code: str, value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Format.parse(code).encode(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["", "A", "F16", "A16.2", "B3", "I0", "Q4", "E16.7x"])
def test_unknown_codes(code: str) -> None:
    with pytest.raises(ValueError, match=r"not a format code|binary integer"):
        Format.parse(code)


def test_numpy_type() -> None:
    assert Format.parse("S4").dtype == np.dtype(">i4")
    assert Format.parse("B8").dtype == np.dtype(">u8")
    with pytest.raises(ValueError, match="no numpy dtype"):
        _ = Format.parse("I4").dtype


@given(st.one_of(st.floats(1e-90, 1e90), st.floats(-1e90, -1e-90), st.just(-0.0)))
def test_sixteen_digits_survive_reading_and_printing(value: float) -> None:
    form = Format.parse("E22.15")
    raw = form.encode(value)
    assert len(raw) == 22
    assert form.encode(form.decode(raw)) == raw


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=12))
def test_any_text_field_gives_its_bytes_again(text: str) -> None:
    raw = text.ljust(12).encode()
    for code in ("A12", "AR12"):
        form = Format.parse(code)
        assert form.encode(form.decode(raw)) == raw
