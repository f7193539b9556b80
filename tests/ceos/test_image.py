from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alos2.ceos import CeosImage, decode_prefix, read_image_header
from alos2.ceos import image as image_module
from alos2.errors import BadRecord
from alos2.types import RasterShape, Window

Build = Callable[..., tuple[bytes, np.ndarray[Any, Any]]]
Write = Callable[..., bytes]
FAMILIES = {"signal": np.dtype("=c8"), "processed": np.dtype("=u2")}


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_whole_image_and_windows(family: str, build_image: Build, tmp_path: Path) -> None:
    data, values = build_image(family)
    path = tmp_path / "IMG-HH"
    path.write_bytes(data)
    with CeosImage.open(path) as image:
        assert image.shape == RasterShape(5, 7)
        assert image.available_lines == image.record_count == 5
        assert image.level_family == family
        assert image.dtype == FAMILIES[family]
        assert image.prefix_bytes == (544 if family == "signal" else 192)
        whole = image.read()
        assert whole.dtype == FAMILIES[family]
        assert whole.dtype.isnative
        np.testing.assert_array_equal(whole, values)
        for window in (Window(0, 0, 1, 1), Window(4, 6, 1, 1), Window(1, 2, 3, 4)):
            line, pixel, lines, pixels = window
            expected = values[line : line + lines, pixel : pixel + pixels]
            np.testing.assert_array_equal(image.read(window), expected)
    whole += 1  # a copy: writable, and alive when the file is closed
    with pytest.raises(ValueError, match="is closed"):
        image.read(Window(0, 0, 1, 1))


@pytest.mark.parametrize(
    "window",
    [
        Window(-1, 0, 1, 1),
        Window(0, -1, 1, 1),
        Window(0, 0, 0, 1),
        Window(0, 0, 1, 0),
        Window(0, 0, 6, 1),
        Window(5, 0, 1, 1),
        Window(0, 7, 1, 1),
        Window(0, 1, 1, 7),
        Window(2**40, 0, 1, 1),
    ],
)
def test_windows_outside_are_refused(window: Window, build_image: Build, tmp_path: Path) -> None:
    path = tmp_path / "IMG-HH"
    path.write_bytes(build_image("signal")[0])
    with CeosImage.open(path) as image, pytest.raises(ValueError, match=r"IMG-HH: window .* not"):
        image.read(window)


def test_prefixes(family: str, build_image: Build, tmp_path: Path) -> None:
    path = tmp_path / "IMG-HH"
    path.write_bytes(build_image(family, year=2014, prf_mhz=3_000_000_000)[0])
    with CeosImage.open(path) as image:
        assert image.header.first_prefix == image.prefix(0)
        last = image.prefix(4)
        assert (last["line_number"], last["ms_of_day"], last["year"]) == (5, 1004, 2014)
        assert last["lat_first_udeg"] == -4
        columns = image.prefixes(["ms_of_day", "lat_first_udeg", "prf_mhz"])
        assert columns["ms_of_day"].tolist() == [1000, 1001, 1002, 1003, 1004]
        assert columns["lat_first_udeg"].tolist() == [0, -1, -2, -3, -4]
        assert columns["prf_mhz"].tolist() == [3_000_000_000] * 5
        assert columns["ms_of_day"].dtype.isnative
        some = image.prefixes(["line_number"], slice(1, None, 2))
        assert some["line_number"].tolist() == [2, 4]
        with pytest.raises(ValueError, match="no field nonsense"):
            image.prefixes(["nonsense"])
        with pytest.raises(ValueError, match="window"):
            image.prefix(5)


@pytest.mark.parametrize("missing", [1, 15, 16, 250])
def test_image_that_is_cut_opens_for_what_is_there(
    missing: int, family: str, build_image: Build, tmp_path: Path
) -> None:
    data, values = build_image(family)
    path = tmp_path / "IMG-HH"
    path.write_bytes(data[:-missing])
    record = (len(data) - 720) // 5
    there = (len(data) - 720 - missing) // record
    with CeosImage.open(path) as image:
        assert image.available_lines == there < image.shape.lines
        np.testing.assert_array_equal(image.read(), values[:there])
        assert len(image.prefixes(["year"])["year"]) == there
        with pytest.raises(BadRecord, match=f"holds {there} whole lines, expected 5"):
            image.read(Window(0, 0, 5, 7))
        with pytest.raises(BadRecord):
            image.prefix(4)


def test_image_without_any_line(family: str, image_descriptor: Write, tmp_path: Path) -> None:
    path = tmp_path / "IMG-HH"
    path.write_bytes(image_descriptor(family, 5, 7))
    with CeosImage.open(path) as image:
        assert image.available_lines == 0
        assert image.header.first_prefix is None
        assert image.read().shape == (0, 7)
        assert image.read().dtype == FAMILIES[family]
        assert image.prefixes(["year"])["year"].shape == (0,)
        with pytest.raises(BadRecord):
            image.read(Window(0, 0, 1, 1))


def test_longer_than_described(build_image: Build, tmp_path: Path) -> None:
    data, values = build_image("processed")
    path = tmp_path / "IMG-HH"
    path.write_bytes(data + data[720 : 720 + 206])
    with CeosImage.open(path) as image:
        assert (image.record_count, image.available_lines) == (6, 5)
        np.testing.assert_array_equal(image.read(), values)


def test_first_record_length_rules(build_image: Build, tmp_path: Path) -> None:
    """Headers are known to be garbage mid-file while pixels are good (gmtsar issue 310)."""
    data, values = build_image("signal")
    bad = bytearray(data)
    start = 720 + 2 * (544 + 56)
    bad[start : start + 12] = (2**32 - 1003471810).to_bytes(4, "big") * 3
    path = tmp_path / "IMG-HH"
    path.write_bytes(bytes(bad))
    with CeosImage.open(path) as image:
        np.testing.assert_array_equal(image.read(), values)
        with pytest.raises(BadRecord, match=f"offset {start}: the record's type"):
            image.prefix(2)


def test_suffix_bytes_behind_the_pixels(
    image_descriptor: Write, image_line: Write, tmp_path: Path
) -> None:
    values = np.arange(12, dtype=np.uint16).reshape(3, 4)
    body = b""
    for number, row in enumerate(values):
        record = bytearray(image_line("processed", number, row) + b"tail")
        record[8:12] = len(record).to_bytes(4, "big")
        body += bytes(record)
    path = tmp_path / "IMG-HH"
    path.write_bytes(image_descriptor("processed", 3, 4, suffix_bytes=4) + body)
    with CeosImage.open(path) as image:
        np.testing.assert_array_equal(image.read(), values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lines": 0, "record_count": 0}, "says 0 lines x 7 pixels"),
        ({"pixels": 0}, "says 5 lines x 0 pixels"),
        ({"pixels": -7}, "says 5 lines x -7 pixels"),
        ({"pixels": 8}, "206 bytes long, expected 208 for 8 pixels"),
        ({"pixels": 3}, "206 bytes long, expected 198 for 3 pixels"),
        ({"prefix_bytes": 412}, "says 412 bytes of prefix and 2 bytes a pixel, expected 544"),
        ({"bytes_per_group": 8}, "says 192 bytes of prefix and 8 bytes a pixel"),
    ],
)
def test_contradictions(
    change: dict[str, int], message: str, image_descriptor: Write, build_image: Build
) -> None:
    data = build_image("processed")[0]
    more = {"data_record_length": None, **change}
    lines, pixels = int(more.pop("lines", 5) or 0), int(more.pop("pixels", 7) or 0)
    descriptor = image_descriptor("processed", lines, pixels, **more)
    with pytest.raises(BadRecord, match=message):
        read_image_header(descriptor + data[720:], name="IMG-HH")


def test_line_of_the_other_kind(image_descriptor: Write, build_image: Build) -> None:
    data = build_image("signal")[0]
    with pytest.raises(
        BadRecord, match="offset 720: the record's type is 50,10,18,20, expected 50"
    ):
        read_image_header(image_descriptor("processed", 5, 7) + data[720:], name="IMG-HH")


def test_decode_prefix_chooses_by_type(build_image: Build) -> None:
    signal, processed = build_image("signal")[0], build_image("processed")[0]
    assert "us_of_day" in decode_prefix(signal[720:], where="here")
    assert "slant_range_last_m" in decode_prefix(processed[720:], where="here")
    with pytest.raises(BadRecord, match=r"record type is \(50, 192, 18, 18\), expected"):
        decode_prefix(signal, where="here")
    with pytest.raises(BadRecord, match="has 100 bytes, expected at least 544"):
        decode_prefix(signal[720:820], where="here")


@pytest.mark.skipif(sys.platform == "win32", reason="needs sparse files")
@pytest.mark.parametrize(("family", "pixels"), [("signal", 10_000), ("processed", 40_000)])
def test_beyond_four_gibibytes(
    family: str, pixels: int, image_descriptor: Write, image_line: Write, tmp_path: Path
) -> None:
    record = 544 + 8 * pixels if family == "signal" else 192 + 2 * pixels
    lines = (1 << 32) // record + 1000
    rng = np.random.default_rng(1)
    row = rng.integers(1, 60_000, pixels)
    beyond_two = (1 << 31) // record + 1
    path = tmp_path / "IMG-HH"
    with path.open("wb") as file:
        file.write(image_descriptor(family, lines, pixels))
        for line in (0, beyond_two, lines - 2, lines - 1):
            file.seek(720 + line * record)
            file.write(image_line(family, line, row + line % 7, year=2014))
    assert path.stat().st_size > (1 << 32) + 900 * record
    with CeosImage.open(path) as image:
        assert image.available_lines == lines
        for line in (beyond_two, lines - 1):
            read = image.read(Window(line, pixels - 3, 1, 3))
            np.testing.assert_array_equal(read[0], (row + line % 7)[-3:])
            assert image.prefix(line)["line_number"] == line + 1
        last = image.read(Window(lines - 2, 0, 2, pixels))
        np.testing.assert_array_equal(last, np.stack([row + (lines - n) % 7 for n in (2, 1)]))
        ends = image.prefixes(["line_number"], slice(lines - 2, None))["line_number"]
        assert ends.tolist() == [lines - 1, lines]
    path.unlink()


def test_pages_are_given_back_and_pixels_stay_right(
    build_image: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_module, "_RESIDENT_BYTES", 1)
    data, values = build_image("processed", lines=50, pixels=3000)
    path = tmp_path / "IMG-HH"
    path.write_bytes(data)
    with CeosImage.open(path) as image:
        for _ in range(3):
            np.testing.assert_array_equal(
                image.read(Window(10, 5, 30, 2000)), values[10:40, 5:2005]
            )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_resident_memory_stays_small(
    image_descriptor: Write, image_line: Write, tmp_path: Path
) -> None:
    lines, pixels = 4000, 10_000
    path = tmp_path / "IMG-HH"
    with path.open("wb") as file:
        file.write(image_descriptor("signal", lines, pixels))
        file.write(image_line("signal", 0, np.ones(pixels)))
        file.truncate(720 + lines * (544 + 8 * pixels))

    def resident_file_pages() -> int:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.split("RssFile:")[1].split()[0]) * 1024

    with CeosImage.open(path) as image:
        before = resident_file_pages()
        assert image.prefixes(["year"])["year"].shape == (lines,)
        after_prefixes = resident_file_pages()
        assert image.read(Window(0, 77, lines, 2)).sum() == 2
        after_column = resident_file_pages()
    # The file has 320 MB, of which every line was looked at.
    assert max(after_prefixes, after_column) - before < 80e6
