"""Cloud-Optimised GeoTIFFs: layout, values, overviews in power, no data, tags."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from alos2.errors import Interrupted, NoResource
from alos2.raster.cog import in_quantity, write_cog
from alos2.raster.pictures import PictureOptions, make_pictures, never, silent
from alos2.raster.source import open_source

SHAPE = (1400, 4710)  # odd sizes, and wider than what is worked on at once
TO_POWER = {
    "db": lambda v: 10 ** (v / 10),
    "power": lambda v: v,
    "amplitude": lambda v: v * v,
}


@pytest.fixture(scope="module")
def scene(make_once: Any) -> Any:
    """Speckle of one look, with a border and a hole; and its sigma nought, NaN = no data."""
    power = np.random.default_rng(12).exponential(0.1, SHAPE)
    dn = np.maximum(make_once.dn(10 * np.log10(power)), 1)
    dn[:200] = 0
    dn[:, 4500:] = 0
    dn[600:700, 1000:1300] = 0
    product = make_once.mapped(dn, make_once.utm(SHAPE, rotation_deg=8.0))
    truth = np.where(dn == 0, np.nan, dn.astype(float) ** 2 * 10**-8.3)
    return product, truth


def write(product: Any, path: Path, quantity: Any = "power", cancelled: Any = never) -> Any:
    work = path.parent / "work"
    work.mkdir(exist_ok=True)
    with open_source(product, product.images[0]) as source:
        return write_cog(
            source, "HH", path, quantity, work,
            stage="cog HH", progress=silent, cancelled=cancelled,
        )  # fmt: skip


def blocks_of(truth: np.ndarray, factor: int) -> np.ndarray:
    lines, pixels = (-(-size // factor) for size in truth.shape)
    padded = np.full((lines * factor, pixels * factor), np.nan)
    padded[: truth.shape[0], : truth.shape[1]] = truth
    return padded.reshape(lines, factor, pixels, factor).transpose(0, 2, 1, 3)


@pytest.mark.parametrize("quantity", ["db", "power", "amplitude"])
def test_values_overviews_and_tags(scene: Any, tmp_path: Path, quantity: str) -> None:
    product, truth = scene
    report = write(product, tmp_path / "x.tif", quantity)
    with rasterio.open(report.path) as cog:
        assert cog.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert cog.profile["tiled"] is True
        assert cog.profile["blockxsize"] == cog.profile["blockysize"] == 512
        assert cog.shape == SHAPE
        assert cog.crs.to_epsg() == report.epsg == 32654
        assert tuple(cog.transform)[:6] == pytest.approx(product.images[0].grid.transform)
        assert np.isnan(cog.nodata)
        assert cog.descriptions == (f"sigma0_HH_{quantity}",)
        assert cog.units == ({"db": "dB"}.get(quantity, f"linear {quantity}"),)
        tags = cog.tags()
        assert tags["calibration_source"] == "leader"
        assert float(tags["calibration_factor_db"]) == -83.0
        assert tags["polarization"] == "HH"
        assert cog.overviews(1) == list(report.overviews) == [2, 4, 8, 16]
        power = TO_POWER[quantity](cog.read(1).astype(float))
        np.testing.assert_array_equal(np.isnan(power), np.isnan(truth))
        np.testing.assert_allclose(power, truth, rtol=1e-3)
    for level, factor in enumerate(report.overviews):
        blocks = blocks_of(truth, factor)
        count = np.isfinite(blocks).sum(axis=(2, 3))
        expected = np.nansum(blocks, axis=(2, 3)) / np.where(count, count, np.nan)
        with rasterio.open(report.path, overview_level=level) as overview:
            found = TO_POWER[quantity](overview.read(1).astype(float))
        np.testing.assert_array_equal(np.isnan(found), count == 0)
        np.testing.assert_allclose(found, expected, rtol=6e-4)


def test_a_small_image_needs_no_overview(make: Any, tmp_path: Path) -> None:
    dn = np.full((300, 500), make.dn(-10.0), np.uint16)
    report = write(make.mapped(dn, make.utm(dn.shape)), tmp_path / "x.tif")
    assert report.overviews == ()
    with rasterio.open(report.path) as cog:
        assert cog.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert 10 * np.log10(cog.read(1)) == pytest.approx(-10.0, abs=0.01)


def test_rounding_keeps_no_data_and_is_small() -> None:
    power = np.array([1e-9, 0.1, 1.0, 123.456, np.nan], np.float32)
    rounded = in_quantity(power.copy(), "power")
    assert np.isnan(rounded[-1])
    np.testing.assert_allclose(rounded[:-1], power[:-1], rtol=2**-14)


def test_a_stop_leaves_nothing(scene: Any, tmp_path: Path) -> None:
    asked = iter([False] * 3)
    with pytest.raises(Interrupted):
        write(scene[0], tmp_path / "x.tif", cancelled=lambda: next(asked, True))
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == []


def test_what_cannot_be_written_is_named(scene: Any, tmp_path: Path) -> None:
    (tmp_path / "x.tif").mkdir()
    with pytest.raises(NoResource, match=re.escape("x.tif")):
        write(scene[0], tmp_path / "x.tif")
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == []


def test_among_the_pictures_of_a_product(make: Any, tmp_path: Path) -> None:
    dn = np.full((200, 300), make.dn(-12.0), np.uint16)
    images = [make.mapped(dn, make.utm(dn.shape), pol=pol).images[0] for pol in ("HH", "HV")]
    out = tmp_path / "out"
    out.mkdir()
    options = PictureOptions(tiles=False, cog="amplitude")
    report = make_pictures(make.product(*images), out, dataset_id="id", options=options)
    assert [cog.path.name for cog in report.cogs] == [
        "id_HH_sigma0_amplitude.tif",
        "id_HV_sigma0_amplitude.tif",
    ]
    assert {path.name for path in out.iterdir()} == {
        *(cog.path.name for cog in report.cogs),
        *(path.name for path in report.files),
    }
