"""Whatever happens to the bytes, the answer is a valid decode or a BadRecord."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alos2.ceos import CeosImage, read_leader, read_trailer, read_volume
from alos2.errors import BadRecord

BOUNDED = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

damages = st.tuples(
    st.floats(0, 1),
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=12),
    st.booleans(),
)
"""Where to cut; which bytes to change by what; whether to cut."""

numbers = st.tuples(st.just(1.0), st.lists(st.tuples(st.floats(0, 1), st.just(1))), st.just(False))


def damage(data: bytes, how: tuple[float, list[tuple[float, int]], bool]) -> bytes:
    cut, flips, cuts = how
    changed = bytearray(data)
    for place, mask in flips:
        changed[min(int(place * len(changed)), len(changed) - 1)] ^= mask
    return bytes(changed[: int(cut * len(changed))] if cuts else changed)


def attempt(call: Callable[[], Any], name: str) -> Any:
    """What `call` returns, or None after a BadRecord that names the file; all else is a failure."""
    try:
        return call()
    except BadRecord as error:
        message = str(error)
    assert message.startswith(name)
    return None


@given(how=damages)
@BOUNDED
def test_leader(how: Any, build_leader: Callable[..., bytes]) -> None:
    data = damage(build_leader(), how)
    leader = attempt(lambda: read_leader(data, name="LED-x"), "LED-x")
    assert leader is None or leader.data_set_summary["record_number"] >= 0


@given(how=st.one_of(damages, numbers))
@BOUNDED
def test_volume(how: Any, small_volume: bytes) -> None:
    data = damage(small_volume, how)
    volume = attempt(lambda: read_volume(data, name="VOL-x"), "VOL-x")
    assert volume is None or len(volume.pointers) == (volume.descriptor["pointer_count"] or 0)


@given(how=st.one_of(damages, numbers))
@BOUNDED
def test_trailer(how: Any, small_trailer: bytes) -> None:
    data = damage(small_trailer, how)
    trailer = attempt(lambda: read_trailer(data, name="TRL-x"), "TRL-x")
    picture = None if trailer is None else attempt(trailer.low_resolution, "TRL-x")
    if picture is not None:
        size = trailer.descriptor["low_resolution"][0]
        assert picture.shape == (size["lines"], size["pixels"])


def open_and_read(path: Path) -> None:
    with CeosImage.open(path) as image:
        assert image.read().shape == (image.available_lines, image.shape.pixels)
        columns = image.prefixes(["line_number", "year"])
        assert len(columns["year"]) == image.available_lines
        for line in range(min(image.shape.lines, 99)):
            image.prefix(line)


@pytest.mark.parametrize("family", ["signal", "processed"])
@given(how=st.one_of(damages, numbers))
@BOUNDED
def test_image(family: str, how: Any, build_image: Callable[..., Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "IMG-x"
        path.write_bytes(damage(build_image(family)[0], how))
        attempt(lambda: open_and_read(path), "IMG-x")


@given(digits=st.text(alphabet="0123456789- .EN", min_size=6, max_size=8), field=st.integers(0, 30))
@BOUNDED
def test_numbers_of_the_descriptor(
    digits: str, field: int, build_image: Callable[..., Any]
) -> None:
    """Any number in any place of the descriptor that counts something."""
    data = bytearray(build_image("processed")[0])
    start = 180 + 4 * field
    data[start : start + len(digits)] = digits.encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "IMG-x"
        path.write_bytes(bytes(data))
        attempt(lambda: open_and_read(path), "IMG-x")


@given(how=damages)
@settings(parent=BOUNDED, max_examples=25)
def test_real_leader(how: Any, real_member: Callable[[str], bytes]) -> None:
    data = damage(real_member("LED"), how)
    leader = attempt(lambda: read_leader(data, name="LED-x"), "LED-x")
    assert leader is None or leader.name == "LED-x"
