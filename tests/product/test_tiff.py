"""TIFF headers: both byte orders, both sizes, directories at either end, every damage named."""

from __future__ import annotations

import io
import itertools
from struct import pack

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from alos2.errors import BadProduct
from alos2.product.tiff import TiffHeader, read_tiff_header


def read(data: bytes, **options) -> TiffHeader | None:
    return read_tiff_header(io.BytesIO(data), len(data), "IMG.tif", **options)


@pytest.mark.parametrize("layout", list(itertools.product("<>", (False, True), (False, True))))
def test_reads_what_gdal_reads(tmp_path, tiff, tags, layout) -> None:
    order, big, first = layout
    pixels = np.arange(48, dtype=order + "u2").tobytes()
    data = tiff(tags(), pixels, order=order, big=big, directory_first=first)
    header = read(data)
    assert header is not None
    assert (header.width, header.height, header.samples) == (8, 6, 1)
    assert header.bits == (16,)
    assert header.description == "HH"
    assert header.geo_keys[3074] == 16120
    assert header.geo_keys[2049] == "Datum=ITRF97 Ellipsoid=GRS80"
    assert header.data_end == len(data) if first else header.data_end <= len(data)
    path = tmp_path / "a.tif"
    path.write_bytes(data)
    with rasterio.open(path) as opened:
        assert opened.shape == (6, 8)
        assert opened.read(1).ravel().tolist() == list(range(48))


def test_reads_a_file_of_gdal_s_own(tmp_path) -> None:
    path = tmp_path / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=300, height=200, count=1, dtype="uint16",
        crs="EPSG:32654", transform=rasterio.Affine(2.5, 0, 4e5, 0, -2.5, 4e6), tiled=True,
        blockxsize=128, blockysize=128,
    ) as out:  # fmt: skip
        out.write(np.ones((1, 200, 300), np.uint16))
    with path.open("rb") as file:
        header = read_tiff_header(file, path.stat().st_size, path.name)
    assert header is not None
    assert (header.width, header.height) == (300, 200)
    assert header.data_end <= path.stat().st_size
    assert header.geo_keys[3072] == 32654


def test_a_directory_beyond_reach_is_no_error(tiff, tags) -> None:
    data = tiff(tags(), bytes(96))
    assert read(data, reach=90) is None
    assert read(data, reach=len(data)) is not None


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: b"", "is empty"),
        (lambda data: data[:3], "not a TIFF"),
        (lambda data: b"<html>" + data, "not a TIFF"),
        (lambda data: data[:100], "truncated"),
        (lambda data: data[:-1], "truncated"),
        (lambda data: data[:4] + b"\xff\xff\xff\xff" + data[8:], "truncated"),
        (lambda data: data[:4] + b"\x08\0\0\0" + data[8:], "directory at 10 with 0 entries"),
    ],
)
def test_damage_is_named(tiff, tags, damage, words) -> None:
    with pytest.raises(BadProduct, match=words) as caught:
        read(damage(tiff(tags(), bytes(96))))
    assert "IMG.tif" in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_flipped_bytes_are_read_or_refused(data) -> None:
    good = good_tiff()
    at = data.draw(st.integers(0, len(good) - 1))
    flipped = bytearray(good)
    flipped[at] = data.draw(st.integers(0, 255))
    try:
        header = read(bytes(flipped[: data.draw(st.integers(1, len(good)))]))
    except BadProduct as error:
        assert "IMG.tif" in str(error)  # noqa: PT017
    else:
        assert header is not None
        assert header.width > 0


def good_tiff() -> bytes:
    entries = [(256, 3, 1, 4), (257, 3, 1, 2), (273, 4, 1, 8), (279, 4, 1, 16), (33922, 12, 6, 110)]
    body = pack("<H", len(entries)) + b"".join(pack("<HHII", *entry) for entry in entries)
    return pack("<2sHI", b"II", 42, 24) + bytes(16) + body + bytes(24) + pack("<6d", *[1.0] * 6)
