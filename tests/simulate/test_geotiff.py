from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.warp import transform

from alos2.product.tiff import read_tiff_header
from alos2.simulate.tiffwriter import ASCII, Tag, TiffWriter
from alos2.types import RasterShape
from simulate.products import Maker

SHAPE = RasterShape(130, 70)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_tiff_writer_is_read_by_gdal(big: bool, signed: bool) -> None:
    samples = 2 if signed else 1
    rng = np.random.default_rng(0)
    low = -32768 if signed else 0
    wanted = rng.integers(low, low + 65536, (*SHAPE, samples)).astype("i2" if signed else "u2")
    file = io.BytesIO()
    writer = TiffWriter(
        file, lines=130, pixels=70, samples=samples, signed=signed, big=big,
        tags=[Tag(270, ASCII, "HH"), Tag(305, ASCII, "an odd number of")],
    )  # fmt: skip
    for first in range(0, 130, 37):
        writer.write(first, wanted[first : first + 37])
    writer.close()
    content = file.getvalue()
    assert content[:4] == (b"II\x2b\0" if big else b"II\x2a\0")
    with rasterio.MemoryFile(content) as memory, memory.open() as dataset:
        assert dataset.dtypes == (wanted.dtype.name,) * samples
        assert dataset.tags()["TIFFTAG_IMAGEDESCRIPTION"] == "HH"
        assert (np.moveaxis(dataset.read(), 0, 2) == wanted).all()


def test_tiff_becomes_big_above_four_gigabytes() -> None:
    for lines, big in ((28_000, False), (32_000, True)):
        file = io.BytesIO()
        TiffWriter(file, lines=lines, pixels=65_536, samples=1, signed=False, tags=[])
        assert (file.getvalue()[2] == 43) == big
        header = file.getvalue()
        last = int(np.frombuffer(header, "<u8" if big else "<u4")[1])
        assert last > 0


@pytest.mark.parametrize(
    "given",
    [
        {"level": "1.5"},
        {"level": "1.5", "option": "R", "look": "L"},
        {"level": "2.1", "lat_deg": -33.0, "lon_deg": -179.99},
        {"level": "1.5", "projection": "P", "lat_deg": -75.0, "pass_direction": "D"},
        {"level": "3.1", "projection": "M"},
        {"level": "1.5", "projection": "L", "lat_deg": 0.3},
    ],
    ids=str,
)
def test_keys_place_the_raster_where_the_truth_says(make: Maker, given: dict[str, Any]) -> None:
    made = make(**{"format": "geotiff", "pixels": 120, "lines": 100, **given})
    image = made.truth["images"][0]
    with rasterio.open(made.image_path()) as dataset:
        assert dataset.tags()["TIFFTAG_IMAGEDESCRIPTION"] == "HH"
        assert dataset.shape == (100, 120)
        assert dataset.transform.to_gdal() == pytest.approx(
            [image["transform"][k] for k in (2, 0, 1, 5, 3, 4)], abs=1e-6
        )
        for corner in image["corners"]:
            x, y = dataset.xy(corner["line"], corner["pixel"])
            (lon,), (lat,) = transform(dataset.crs, "EPSG:4326", [x], [y])
            assert lat == pytest.approx(corner["lat_deg"], abs=1e-8)
            assert (lon - corner["lon_deg"] + 180.0) % 360.0 - 180.0 == pytest.approx(0, abs=1e-8)


def test_codes_are_those_of_the_format_description(make: Maker) -> None:
    made = make(format="geotiff", level="1.5", pixels=120, lines=100)
    path = made.image_path("HV")
    with path.open("rb") as file:
        header = read_tiff_header(file, path.stat().st_size, path.name)
    assert header is not None
    keys = header.geo_keys
    assert [keys[k] for k in (1024, 1025, 2048, 2050, 2051, 2056, 3072)] == [
        1, 1, 4338, 6655, 8901, 7019, 32767,
    ]  # fmt: skip
    assert keys[3074] == 16054
    assert keys[1026] == "Geo-coded"
    assert keys[2049] == "Datum=ITRF97 Ellipsoid=GRS80 Projection=UTM"
    assert header.tie_points[0][:3] == (0.5, 0.5, 0.0)
    assert len(header.matrix) == 16


def test_slant_range_has_four_tie_points(make: Maker) -> None:
    made = make(format="geotiff", pixels=120, lines=100)
    image = made.truth["images"][0]
    with rasterio.open(made.image_path()) as dataset:
        assert dataset.dtypes == ("int16", "int16")
        points, _ = dataset.gcps
    found = {(p.row, p.col): (p.x, p.y) for p in points}
    assert len(found) == 4
    for corner in image["corners"]:
        place = found[corner["line"] + 0.5, corner["pixel"] + 0.5]
        assert place == pytest.approx((corner["lon_deg"], corner["lat_deg"]), abs=1e-9)


@pytest.mark.parametrize(("option", "differ"), [("G", False), ("R", True)])
def test_lut_has_a_line_a_column_and_one(make: Maker, option: str, differ: bool) -> None:
    made = make(format="geotiff", level="1.5", option=option, pixels=120, lines=100)
    (path,) = made.folder.glob("LUT-HV-*")
    lines = path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert len(lines) == 121
    assert {len(line) for line in lines} == {22}
    assert lines[0] == b" 0.000000000000000E+00"
    if differ:
        assert len(set(lines[1:])) == 120
    else:
        assert set(lines[1:]) == {b" 1.995262314968883E+08"}  # as in the real table


def test_no_ceos_files_in_a_geotiff_delivery(make: Maker) -> None:
    made = make(format="geotiff", level="1.5", pixels=120, lines=100)
    kinds = sorted({path.name[:3] for path in made.folder.iterdir() if "-" in path.name[3:4]})
    assert kinds == ["BRS", "IMG", "LUT"]
