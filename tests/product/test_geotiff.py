"""GeoTIFF deliveries: grids and tie points, against GDAL's own reading."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import rasterio
import rasterio.warp

from alos2.archive.members import list_members
from alos2.naming import FileName
from alos2.product import geotiff as module
from alos2.product.geotiff import crs_from_keys, read_geotiff_image
from alos2.product.model import Image, Problem, ProductFile
from alos2.types import LonLat, RasterShape

NAME = "IMG-HH-ALOS2015976960-140909-FBDR2.1GUA.tif"
SLC_NAME = "IMG-HH-ALOS2015976960-140909-FBDR1.1__A.tif"


def read(path: Path, fallback=None) -> tuple[Image | None, list[Problem]]:
    """Read the one image that lies in a folder or zip."""
    with list_members(path) as tree:
        (member,) = tree.members
        file = ProductFile(member.name, "IMG", member.size, member, "HH")
        return read_geotiff_image(file, FileName.parse(member.name), fallback)


@pytest.fixture
def write(tmp_path, tiff):
    def put(tags, name=NAME, pixels=bytes(96), **options) -> Path:
        folder = tmp_path / "delivery"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(tiff(tags, pixels, **options))
        return folder

    return put


def same_places(image: Image, path: Path) -> None:
    """Compare our grid with GDAL's: the corners in longitude and latitude, and the transform."""
    assert image.grid is not None
    with rasterio.open(path) as opened:
        assert tuple(opened.transform)[:6] == pytest.approx(image.grid.transform, abs=1e-9)
        theirs, ours = opened.crs, rasterio.crs.CRS.from_wkt(image.grid.crs_wkt)
        a, b, c, d, e, f = image.grid.transform
        xs = [c, c + a * 8, c + a * 8 + b * 6, c + b * 6]
        ys = [f, f + d * 8, f + d * 8 + e * 6, f + e * 6]
        back = rasterio.warp.transform(theirs, ours, xs, ys)
        assert back[0] == pytest.approx(xs, abs=1e-3)
        assert back[1] == pytest.approx(ys, abs=1e-3)


def test_a_geocoded_utm_grid(write, tags) -> None:
    folder = write(tags())
    image, problems = read(folder)
    assert problems == []
    assert image is not None
    assert image.grid is not None
    assert image.shape == (6, 8)
    assert image.dtype == "uint16"
    assert image.grid.epsg == 32720
    # The tie point is the centre of the first pixel: its corner lies half a pixel up and left.
    assert image.grid.transform == (10.0, 0.0, 499_998.0, 0.0, -10.0, 8_800_010.0)
    same_places(image, folder / NAME)


@pytest.mark.parametrize(("zone", "south"), [(1, False), (20, True), (60, False)])
def test_the_hemisphere_is_that_of_the_false_northing(jaxa_keys, zone, south) -> None:
    keys = {**jaxa_keys, 3074: 16000 + zone, 3083: 1e7 if south else 0.0}
    assert crs_from_keys(keys).epsg == (32700 if south else 32600) + zone
    del keys[3083]
    assert crs_from_keys(keys).epsg == 32600 + zone


PROJECTIONS = {
    "polar": {3075: 15, 3081: 75.0, 3095: -45.0, 3092: 1.0, 3082: 0.0, 3083: 0.0},
    "mercator": {3075: 7, 3080: 140.0, 3081: 0.0, 3092: 1.0, 3082: 0.0, 3083: 0.0},
    "lambert": {
        3075: 8, 3078: 33.0, 3079: 45.0, 3084: -96.0, 3085: 39.0, 3086: 0.0, 3087: 0.0,
    },
}  # fmt: skip


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_other_projections(write, tags, jaxa_keys, projection) -> None:
    keys = {**jaxa_keys, 3074: 32767, **PROJECTIONS[projection]}
    place = {
        33550: ("d", (25.0, 25.0, 0.0)),
        33922: ("d", (0.5, 0.5, 0.0, 300_000.0, -900_000.0, 0.0)),
    }
    folder = write(tags(keys=keys, place=place))
    image, problems = read(folder)
    assert problems == []
    assert image is not None
    assert image.grid is not None
    assert image.grid.epsg is None
    same_places(image, folder / NAME)


def test_a_rotated_grid(write, tags) -> None:
    matrix = [8.0, -6.0, 0.0, 5e5, -6.0, -8.0, 0.0, 88e5, 0, 0, 0, 0, 0, 0, 0, 1]
    folder = write(tags(place={34264: ("d", matrix)}))
    image, problems = read(folder)
    assert problems == []
    assert image is not None
    assert image.grid is not None
    assert image.grid.transform == (8.0, -6.0, 5e5, -6.0, -8.0, 88e5)
    same_places(image, folder / NAME)


def test_a_matrix_from_the_first_centre_is_put_right_by_the_tie_point(write, tags) -> None:
    matrix = [8.0, -6.0, 0.0, 5e5, -6.0, -8.0, 0.0, 88e5, 0, 0, 0, 0, 0, 0, 0, 1]
    tie = (0.5, 0.5, 0.0, 5e5, 88e5, 0.0)
    image, _ = read(write(tags(place={34264: ("d", matrix), 33922: ("d", tie)})))
    assert image is not None
    assert image.grid is not None
    assert image.grid.transform == (8.0, -6.0, 5e5 - 1.0, -6.0, -8.0, 88e5 + 7.0)


def test_pixel_is_point(write, tags, jaxa_keys) -> None:
    keys = {**jaxa_keys, 1025: 2, 3074: 16120, 3083: 1e7}
    tie = (0.0, 0.0, 0.0, 5e5, 88e5, 0.0)
    place = {33550: ("d", (10.0, 10.0, 0.0)), 33922: ("d", tie)}
    image, _ = read(write(tags(keys=keys, place=place)))
    assert image is not None
    assert image.grid is not None
    assert image.grid.transform == (10.0, 0.0, 499_995.0, 0.0, -10.0, 8_800_005.0)


def test_level_11_has_four_tie_points(write, tags) -> None:
    corners = [
        (0.5, 0.5, -62, -10),
        (7.5, 0.5, -61, -10),
        (0.5, 5.5, -62, -11),
        (7.5, 5.5, -61, -11),
    ]
    ties = [v for i, j, x, y in corners for v in (i, j, 0.0, float(x), float(y), 0.0)]
    geographic = {1024: 2, 1025: 1, 2048: 4338}
    folder = write(
        tags(keys=geographic, place={33922: ("d", ties)}, slc=True), SLC_NAME, bytes(192)
    )
    image, problems = read(folder)
    assert problems == []
    assert image is not None
    assert image.dtype == "complex_int16"
    assert image.grid is None
    first, last = image.tie_points[0], image.tie_points[3]
    assert (first.line, first.pixel, first.position) == (0.0, 0.0, LonLat(-62.0, -10.0))
    assert (last.line, last.pixel, last.position) == (5.0, 7.0, LonLat(-61.0, -11.0))
    with rasterio.open(folder / SLC_NAME) as opened:
        assert opened.dtypes == ("int16", "int16")
        gcp = opened.gcps[0][3]
        assert (gcp.row - 0.5, gcp.col - 0.5, gcp.x, gcp.y) == (5.0, 7.0, -61.0, -11.0)


def codes(problems: list[Problem]) -> list[str]:
    return [problem.code for problem in problems]


def test_pixels_that_are_missing(write, tags) -> None:
    folder = write(tags(), directory_first=True)
    whole = (folder / NAME).read_bytes()
    (folder / NAME).write_bytes(whole[:-20])
    image, problems = read(folder)
    assert codes(problems) == ["short_image"]
    assert f"{len(whole)} bytes expected, {len(whole) - 20} found" in problems[0].message
    assert image is not None
    assert image.grid is not None


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty_image"), (b"II*\0\x08", "bad_image"), (b"<html></html>", "bad_image")],
)
def test_files_that_are_no_tiff_fall_back_to_the_summary(tmp_path, content, code) -> None:
    (tmp_path / NAME).write_bytes(content)
    assert read(tmp_path)[0] is None
    image, problems = read(tmp_path, RasterShape(6, 8))
    assert codes(problems) == [code]
    assert image is not None
    assert image.shape == (6, 8)
    assert NAME in problems[0].message


@pytest.mark.parametrize(
    ("keys", "place", "words"),
    [
        ({1024: 1, 1025: 1}, None, "name no projection"),
        ({1024: 1, 3075: 15}, None, "none of"),
        ({1024: 1, 3074: 16120}, {}, "no transformation"),
        (None, {34264: ("d", [0.0] * 16)}, "a pixel spacing of 0 m"),
        (None, {34264: ("d", [2.5, 0, 0, 0, 0, -1e300, *[0.0] * 10])}, "a line spacing of 1e+"),
        (None, {34264: ("d", [2.5, 2.5, 0, 0, -2.5, -2.5, *[0.0] * 10])}, "no right angles"),
        (None, {34264: ("d", [2.5, 0, 0, 1e9, 0, -2.5, *[0.0] * 10])}, "on no map"),
    ],
)
def test_georeferencing_that_cannot_be(write, tags, keys, place, words) -> None:
    image, problems = read(write(tags(keys=keys, place=place)))
    assert codes(problems) == ["bad_image"]
    assert words in problems[0].message
    assert problems[0].blocks_ingest
    assert image is not None
    assert image.grid is None


def test_wrong_samples_and_polarisation(write, tags) -> None:
    wrong = {**tags(), 270: ("s", "VV"), 339: ("H", (2,))}
    _, problems = read(write(wrong))
    assert codes(problems) == ["bad_image", "contradiction"]
    assert "sample format 2" in problems[0].message
    assert "says VV, the name HH" in problems[1].message


@pytest.mark.parametrize("first", [True, False])
def test_inside_an_archive(tmp_path, write, tags, first, monkeypatch) -> None:
    folder = write(tags(), directory_first=first)
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.write(folder / NAME, NAME)
    image, problems = read(archive)
    assert problems == []
    assert image is not None
    assert image == read(folder)[0] or image.grid == read(folder)[0].grid  # type: ignore[union-attr]
    monkeypatch.setattr(module, "ARCHIVE_REACH_BYTES", 100)
    image, problems = read(archive, RasterShape(6, 8))
    assert codes(problems) == ["bad_image"]
    assert not problems[0].blocks_ingest
    assert "once it is unpacked" in problems[0].message
    assert image is not None
    assert image.grid is None
