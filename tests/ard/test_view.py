"""How products look at the ground, with an orbit and without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alos2.ard.terrain.geometry import TerrainGeometry
from alos2.ard.terrain.view import INCIDENCE_ERROR_DEG, view_of
from alos2.errors import BadProduct
from alos2.product.model import Product
from alos2.product.recognise import recognise
from alos2.simulate import SimulationSpec, simulate
from alos2.types import LookSide, PassDirection, Window
from ard.terrainfixtures import HeightsOf, whole

LEVEL = HeightsOf(lambda x, y: 0.0 * x * y)


def made(folder: Path, product_format, look: LookSide, direction: PassDirection) -> Product:
    spec = SimulationSpec(
        level="2.1", format=product_format, look=look, pass_direction=direction, pixels=96,
        lines=96, spacing_m=500.0, off_nadir_deg=33.34,
    )  # fmt: skip
    with recognise(simulate(spec, folder).product_dir) as tree:
        (product,) = tree.products
        return product


@pytest.mark.parametrize(("look", "direction"), [("R", "A"), ("L", "A"), ("R", "D"), ("L", "D")])
def test_without_an_orbit_angles_are_as_right_as_stated(
    look: LookSide, direction: PassDirection, tmp_path: Path
) -> None:
    """A GeoTIFF of a whole swath, beside the CEOS product of the same scene."""
    ceos = made(tmp_path / "ceos", "ceos", look, direction)
    tiff = made(tmp_path / "tiff", "geotiff", look, direction)
    own, nominal = view_of(ceos), view_of(tiff)
    assert (own.nominal, own.incidence_error_deg, own.look) == (False, None, look)
    assert (nominal.nominal, nominal.incidence_error_deg) == (True, INCIDENCE_ERROR_DEG)
    assert ceos.grid is not None
    window = whole(ceos.grid)
    right = TerrainGeometry(own, LEVEL, ceos.grid).window(window)
    wrong = TerrainGeometry(nominal, LEVEL, ceos.grid).window(window)
    assert np.ptp(right.incidence_deg) > 2.0, "a swath"
    error = wrong.incidence_deg - right.incidence_deg
    assert np.abs(error).max() < INCIDENCE_ERROR_DEG
    # 33.34 degrees are told as 33.3: with the simulator's orbit little else is wrong.
    assert np.abs(error).max() < 0.12
    assert -0.12 < error.mean() < -0.02
    ramp = HeightsOf(lambda x, y: 0.2 * x + 0.1 * y)
    one = TerrainGeometry(own, ramp, ceos.grid).window(Window(0, 0, 9, 9))
    other = TerrainGeometry(nominal, ramp, ceos.grid).window(Window(0, 0, 9, 9))
    assert np.abs(one.slope_range_rad - other.slope_range_rad).max() < 2e-3
    assert np.abs(one.slope_azimuth_rad - other.slope_azimuth_rad).max() < 2e-3


def test_what_a_product_must_say(tmp_path: Path) -> None:
    product = made(tmp_path, "geotiff", "R", "A")
    for damaged, words in (
        (replace(product, sensor=replace(product.sensor, off_nadir_deg=None)), "off-nadir angle"),
        (replace(product, image_corners=None, grid=None, images=()), "no place"),
        (
            replace(product, sensor=replace(product.sensor, off_nadir_deg=80.0)),
            "no off-nadir angle",
        ),
    ):
        with pytest.raises(BadProduct, match=words) as raised:
            view_of(damaged)
        assert "leader" in str(raised.value)
    assert view_of(replace(product, image_corners=None)).nominal, "its map says where it lies"


def test_a_real_scene_is_within_the_stated_error(real_data: Path) -> None:
    (archive,) = (real_data / "palsar2-real").glob("*.zip")
    with recognise(archive) as tree:
        (product,) = tree.products
    rounded = replace(product.sensor, off_nadir_deg=round(product.sensor.off_nadir_deg, 1))
    nominal = view_of(replace(product, orbit=None, sensor=rounded))
    assert product.grid is not None
    centre = Window(product.grid.shape.lines // 2, product.grid.shape.pixels // 2, 1, 1)
    right = TerrainGeometry(view_of(product), LEVEL, product.grid).window(centre).incidence_deg
    wrong = TerrainGeometry(nominal, LEVEL, product.grid).window(centre).incidence_deg
    assert right == pytest.approx(40.53, abs=0.02)
    assert 0.3 < float((wrong - right)[0, 0]) < INCIDENCE_ERROR_DEG
