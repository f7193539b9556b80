"""Frames of one pass joined, everything else refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alos2.ard.document.footprint import outline_of
from alos2.ard.grid import snapped_grid
from alos2.ard.joining import Joiner, chosen_polarizations, gaps, one_pass
from alos2.ard.options import ArdOptions
from alos2.ard.scene import make_ard
from alos2.errors import BadProduct, UsageError
from alos2.naming import ProductId, SceneId
from alos2.product.recognise import recognise
from alos2.simulate import SimulationSpec, StackSpec, simulate_stack
from ard.conftest import read


def _next(known: Any, **changes: Any) -> Any:
    """The next frame of the same pass, as far as its names and times say."""
    later = timedelta(seconds=9)
    scene = replace(known.scene, frame=f"{int(known.scene.frame) + 10:04d}")
    moved = {"scene": scene, "center_time": known.center_time + later}
    return replace(known, **(moved | changes))


def test_frames_come_in_the_order_of_time(simulated: Any) -> None:
    first = simulated().product
    second, third = _next(first), _next(_next(first))
    assert one_pass([third, first, second]) == (first, second, third)
    assert one_pass([first]) == (first,)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scene": SceneId.parse("ALOS2327530700-200616")}, "orbit differs"),
        ({"product": ProductId.parse("FBSL2.1GUA")}, "look side differs"),
        ({"product": ProductId.parse("FBSR2.1GUD")}, "pass direction differs"),
        ({"product": ProductId.parse("FBDR2.1GUA")}, "mode differs"),
        ({"level": "1.5"}, "level differs"),
        ({"format": "geotiff"}, "format differs"),
        ({"orbit": None}, "having an orbit differs"),
    ],
)
def test_other_passes_and_products_are_refused(
    changes: dict[str, Any], said: str, simulated: Any
) -> None:
    first = simulated().product
    with pytest.raises(UsageError, match=f"are not frames of one pass: their {said}"):
        one_pass([first, _next(first, **changes)])


def test_another_beam_is_refused(simulated: Any) -> None:
    first = simulated().product
    other = replace(first.sensor, off_nadir_deg=first.sensor.off_nadir_deg + 3.0)
    with pytest.raises(UsageError, match="different beams"):
        one_pass([first, _next(first, sensor=other)])
    other = replace(first.sensor, beam_number=1 + (first.sensor.beam_number or 0))
    with pytest.raises(UsageError, match="their beam differs"):
        one_pass([first, _next(first, sensor=other)])


def test_nothing_twice_and_nothing_without_images(simulated: Any) -> None:
    first = simulated().product
    with pytest.raises(UsageError, match="given twice"):
        one_pass([first, first])
    with pytest.raises(UsageError, match="no product"):
        one_pass([])
    with pytest.raises(BadProduct, match="no image"):
        one_pass([replace(first, images=())])


def test_gaps_are_said(simulated: Any) -> None:
    first = simulated().product
    second = _next(first)
    start = first.end_time + timedelta(seconds=2)
    apart = replace(second, start_time=start, end_time=start + timedelta(seconds=5))
    assert "do not overlap: 2.0 s" in gaps((first, apart))[0]
    near = replace(second, start_time=first.end_time - timedelta(seconds=0.1))
    assert gaps((first, near)) == ()


def test_polarizations_that_are_not_there(simulated: Any) -> None:
    first = simulated().product
    assert chosen_polarizations([first], None) == ("HH",)
    with pytest.raises(UsageError, match="no polarisation HV"):
        chosen_polarizations([first], ("HH", "HV"))


def test_joined_power_is_the_mean_of_what_has_data() -> None:
    nan = np.nan
    joiner = Joiner((2, 3))
    joiner.add(np.array([[1, 2, nan], [nan, 4, nan]], np.float32))
    joiner.add(np.array([[3, nan, nan], [7, 5, nan]], np.float32))
    np.testing.assert_array_equal(joiner.mean(), [[2, 2, nan], [7, 4.5, nan]])
    assert joiner.mean().dtype == np.float32


def test_two_frames_make_one_scene_without_a_seam(tmp_path: Path) -> None:
    spec = SimulationSpec(
        level="2.1", mode="FBD", pixels=180, lines=200, seed=5, targets=False, format="geotiff"
    )
    stack = simulate_stack(StackSpec(scene=spec, dates=1, frames=2), tmp_path / "in")
    products = [recognise(scene.product_dir).products[0] for scene in stack.scenes]
    edges = [np.column_stack(outline_of(product)) for product in products]
    box = np.concatenate(edges)
    grid = snapped_grid((*box.min(axis=0), *box.max(axis=0)), 12.5)
    options = ArdOptions(product_type="GTC-sigma0", layers=())

    def made(some: list[Any], name: str) -> np.ndarray:
        scene = make_ard(some, grid, options, tmp_path / name, name="a", dem=None)
        assert len(scene.item["properties"]["alos2:sources"]) == len(some)
        assert set(scene.layers) == {"HH", "HV", "mask"}
        assert np.nanmean(read(scene.layers["HV"])) < 0.4 * np.nanmean(read(scene.layers["HH"]))
        return read(scene.layers["HH"])

    joined = made(products[::-1], "both")
    alone = [made([product], f"one{n}") for n, product in enumerate(products)]
    valid = [np.isfinite(plane) for plane in alone]
    overlap = valid[0] & valid[1]
    assert 50 < overlap.sum() < 0.3 * valid[0].sum()
    np.testing.assert_array_equal(np.isfinite(joined), valid[0] | valid[1])
    for plane, only in zip(alone, (valid[0] & ~overlap, valid[1] & ~overlap), strict=True):
        np.testing.assert_array_equal(joined[only], plane[only])
    mean = 0.5 * (alone[0][overlap].astype(float) + alone[1][overlap])
    np.testing.assert_allclose(joined[overlap], mean, rtol=2e-4)
