"""The simulator's products, recognised: no problems, and positions as its truth says.

Ground positions are compared through rasterio (PROJ on the WKT of the product) to a millimetre.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import rasterio
import rasterio.crs
import rasterio.warp

from alos2.product.model import Product
from alos2.product.recognise import hash_files, recognise, require_complete
from alos2.simulate import SimulationSpec, simulate

SLC = [
    {"look": "R", "pass_direction": "A"},
    {"look": "L", "pass_direction": "D", "mode": "UBS", "lat_deg": 72.0},
    {"mode": "HBQ", "lon_deg": 180.0, "lat_deg": -16.5},
]
DETECTED = [
    {"level": "1.5", "option": "G"},
    {"level": "1.5", "option": "R", "look": "L", "pass_direction": "D"},
    {"level": "2.1", "lat_deg": -30.0, "lon_deg": -179.9},
    {"level": "3.1", "option": "R", "projection": "L"},
    {"level": "1.5", "projection": "P", "lat_deg": 78.0},
    {"level": "1.5", "projection": "M", "lat_deg": 5.0, "option": "R"},
    {"level": "1.5", "mode": "WBD"},
]


def make(tmp_path: Path, **options: Any) -> tuple[Product, dict[str, Any]]:
    """Simulate, recognise the nested zip and the folder, compare both; give the folder's."""
    spec = SimulationSpec(pixels=60, lines=44, zip="auig2", **options)
    made = simulate(spec, tmp_path)
    with recognise(made.product_dir) as tree:
        assert (tree.stray, tree.refused) == ((), ())
        (product,) = tree.products
    assert made.archive is not None
    with recognise(made.archive) as tree:
        (packed,) = tree.products
        assert packed.problems == ()
        assert packed.grid == product.grid
        assert [i.shape for i in packed.images] == [i.shape for i in product.images]
        sizes = {file.name: file.size_bytes for file in packed.files}
    assert sizes == {file.name: file.size_bytes for file in product.files}
    assert product.problems == ()
    require_complete(product)
    assert (product.scene, product.product) == (made.scene, made.product)
    return product, json.loads(made.truth_path.read_text())


@pytest.mark.parametrize("options", SLC)
def test_slant_range_ceos(tmp_path, options) -> None:
    product, truth = make(tmp_path, **options)
    said = truth["images"][0]
    for image in product.images:
        assert image.timing is not None
        when = datetime.fromisoformat(said["first_line_time"].replace("Z", "+00:00"))
        assert abs((image.timing.first_line_time - when).total_seconds()) < 2e-6
        assert image.timing.line_interval_s == pytest.approx(said["line_interval_s"], rel=1e-9)
        assert image.timing.near_range_m == round(said["near_range_m"])
        assert image.timing.range_spacing_m == pytest.approx(said["range_spacing_m"], rel=1e-8)
    assert product.calibration is not None
    assert product.calibration.factor_db == truth["calibration"]["factor_db"]
    assert product.orbit is not None
    assert product.orbit.times_s.tolist() == truth["orbit"]["times_s"]


@pytest.mark.parametrize("mode", ["WBD", "VBS"])
def test_scansar_beams(tmp_path, mode) -> None:
    product, truth = make(tmp_path, mode=mode)
    assert len(product.beams) == {"WBD": 5, "VBS": 7}[mode]
    for image in product.images:
        (said,) = [entry for entry in truth["images"] if entry["beam"] == str(image.beam)]
        assert image.shape == (said["lines"], said["pixels"])
        assert image.timing is not None
        # A beam's PRF is in the line prefixes, in whole millihertz.
        assert image.timing.line_interval_s == pytest.approx(said["line_interval_s"], rel=1e-6)


@pytest.mark.parametrize("file_format", ["ceos", "geotiff"])
@pytest.mark.parametrize("options", DETECTED)
def test_map_grids(tmp_path, file_format, options) -> None:
    product, truth = make(tmp_path, format=file_format, **options)
    said, grid = truth["images"][0], product.grid
    assert grid is not None
    assert grid.shape == (said["lines"], said["pixels"])
    assert (grid.epsg is None) == (options.get("projection", "U") != "U")
    crs = rasterio.crs.CRS.from_wkt(grid.crs_wkt)
    a, b, c, d, e, f = grid.transform
    for corner in said["corners"]:
        pixel, line = corner["pixel"] + 0.5, corner["line"] + 0.5
        x, y = rasterio.warp.transform("EPSG:4326", crs, [corner["lon_deg"]], [corner["lat_deg"]])
        # CEOS corners are printed in km with seven decimals.
        assert a * pixel + b * line + c == pytest.approx(x[0], abs=1e-3)
        assert d * pixel + e * line + f == pytest.approx(y[0], abs=1e-3)
    if file_format == "geotiff":
        path = product.images[0].file.path
        assert path is not None
        with rasterio.open(path) as opened:
            assert tuple(opened.transform)[:6] == pytest.approx(grid.transform, abs=1e-6)


def test_tie_points_of_level_11_geotiff(tmp_path) -> None:
    product, truth = make(tmp_path, format="geotiff")
    corners = {(c["line"], c["pixel"]): c for c in truth["images"][0]["corners"]}
    for tie in product.images[0].tie_points:
        said = corners[tie.line, tie.pixel]
        assert tie.position.lon_deg == pytest.approx(said["lon_deg"], abs=1e-8)
        assert tie.position.lat_deg == pytest.approx(said["lat_deg"], abs=1e-8)
    assert product.calibration is not None
    assert set(product.calibration.luts) == {"HH", "HV"}


def test_hashes_are_the_same_in_the_archive(tmp_path) -> None:
    product, _ = make(tmp_path)
    (archive,) = tmp_path.glob("*.zip")
    with recognise(archive) as tree:
        packed = hash_files(tree.products[0])
    unpacked = hash_files(product)
    assert [f.sha256 for f in packed.files] == [f.sha256 for f in unpacked.files]


@pytest.mark.parametrize(
    ("mode", "day", "expected"),
    [
        ("WBD", date(2015, 6, 15), (-79.0, "exception: ScanSAR beam W2 ordered before 2016-09-28")),
        ("WBD", date(2016, 10, 15), (-83.0, "leader")),
        ("FBD", date(2015, 6, 15), (-83.0, "leader")),
    ],
)
def test_published_calibration_exceptions_go_before_the_leader(
    tmp_path: Path, mode: str, day: date, expected: tuple[float, str]
) -> None:
    made = simulate(
        SimulationSpec(level="1.5", mode=mode, date=day, pixels=48, lines=40), tmp_path / "x"
    )
    with recognise(made.product_dir) as tree:
        calibration = tree.products[0].calibration
    assert calibration is not None
    assert (calibration.factor_db, calibration.source) == expected
