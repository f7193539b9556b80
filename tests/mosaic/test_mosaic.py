"""Mosaics of tracks that were cut from one known field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import Transformer
from shapely.geometry import Point, Polygon

import alos2.mosaic.cells
import alos2.mosaic.make
from alos2.errors import BadProduct, Interrupted, UsageError
from alos2.mosaic import MosaicInput, MosaicOptions, estimate_gains, mosaic, union_grid
from alos2.raster.gridfile import read_grid
from alos2.raster.lean import rasterio
from alos2.timeseries.model import Encoding
from alos2.types import RasterShape, Window
from mosaic.conftest import Field, Plane, grid_at, read, write

LEFT, RIGHT = (0, 0, 700, 560), (0, 380, 700, 520)
"""Boxes of two tracks that share 180 columns."""


def decibels(power: Any) -> Any:
    return 10 * np.log10(power)


def two(field: Field, gain_db: float = 1.5) -> list[MosaicInput]:
    return [
        MosaicInput(field.cut("left", LEFT, gain_db=gain_db), "left"),
        MosaicInput(field.cut("right", RIGHT), "right"),
    ]


@pytest.mark.parametrize("weighting", ["feather", "none"])
def test_a_gain_between_tracks_is_levelled(field: Field, weighting: Any) -> None:
    result = mosaic(two(field), None, field.folder / "m.tif", MosaicOptions(weighting=weighting))
    made = read(result.path)
    assert result.gains.decibels == {"left": -0.75, "right": 0.75}
    assert sum(result.gains.decibels.values()) == 0
    np.testing.assert_allclose(decibels(made), decibels(field.power) + 0.75, atol=0.02)
    (overlap,) = result.gains.overlaps
    assert overlap.ratio_db == pytest.approx(1.5, abs=1e-3)
    assert overlap.left_db == pytest.approx(0, abs=1e-3)
    assert result.notes == ()


def test_a_gain_is_found_through_speckle_and_change(field: Field) -> None:
    rng = np.random.default_rng(7)

    def speckle(values: Plane) -> None:
        values *= rng.gamma(4, 1 / 4, values.shape).astype(np.float32)

    def flooded(values: Plane) -> None:
        speckle(values)
        values[100:300, :150] *= np.float32(0.05)

    inputs = [
        MosaicInput(field.cut("a", LEFT, gain_db=1.5, change=speckle), "a"),
        MosaicInput(field.cut("b", RIGHT, change=flooded), "b"),
    ]
    gains = estimate_gains(inputs)
    assert gains.decibels["b"] - gains.decibels["a"] == pytest.approx(1.5, abs=0.1)
    assert gains.overlaps[0].spread_db == pytest.approx(0.18, abs=0.1)


def test_without_harmonisation_nothing_is_levelled(field: Field) -> None:
    result = mosaic(two(field), None, field.folder / "m.tif", MosaicOptions(harmonization=False))
    made = decibels(read(result.path)) - decibels(field.power)
    np.testing.assert_allclose(made[:, :380], 1.5, atol=1e-4)
    np.testing.assert_allclose(made[:, 560:], 0.0, atol=1e-4)
    assert result.gains.decibels == {"left": 0.0, "right": 0.0}


def test_the_feather_passes_slowly_from_track_to_track(field: Field) -> None:
    inputs = two(field, gain_db=3.0)
    options = MosaicOptions(harmonization=False)
    made = read(mosaic(inputs, None, field.folder / "m.tif", options).path) / field.power
    row = made[350]
    assert row[379] == pytest.approx(10**0.3, rel=1e-5)
    assert row[560] == pytest.approx(1.0, rel=1e-5)
    assert row[470] == pytest.approx((1 + 10**0.3) / 2, rel=0.02), "the middle of the overlap"
    assert (np.diff(row[380:560]) <= 1e-6).all()
    # From 0.995 to 0 over 180 columns: no step between neighbours is a seam.
    assert np.abs(np.diff(row)).max() < 0.02
    narrow = MosaicOptions(harmonization=False, feather_px=20)
    cut = read(mosaic(inputs, None, field.folder / "n.tif", narrow).path) / field.power
    np.testing.assert_allclose(cut[350, 420:520], (1 + 10**0.3) / 2, rtol=1e-5)


def test_holes_stay_holes_and_a_hole_in_one_track_is_filled_by_the_other(field: Field) -> None:
    def hole(values: Plane) -> None:
        values[200:230, 100:140] = np.nan  # in left alone
        values[300:303, 450:460] = np.nan  # in the overlap

    def also(values: Plane) -> None:
        values[301:303, 75:90] = np.nan  # columns 455 to 469 of the field

    inputs = [
        MosaicInput(field.cut("left", LEFT, change=hole), "left"),
        MosaicInput(field.cut("right", RIGHT, change=also), "right"),
    ]
    made = read(mosaic(inputs, None, field.folder / "m.tif", MosaicOptions()).path)
    expected = np.zeros(made.shape, bool)
    expected[200:230, 100:140] = True
    expected[301:303, 455:460] = True
    np.testing.assert_array_equal(np.isnan(made), expected)
    np.testing.assert_allclose(made[~expected], field.power[~expected], rtol=1e-5)


def test_tracks_that_do_not_touch_leave_a_gap(field: Field) -> None:
    inputs = [
        MosaicInput(field.cut("a", (0, 0, 200, 300)), "a"),
        MosaicInput(field.cut("b", (250, 400, 300, 300), gain_db=2), "b"),
    ]
    result = mosaic(inputs, None, field.folder / "m.tif", MosaicOptions())
    made = read(result.path)
    assert made.shape == (550, 700)
    np.testing.assert_array_equal(made[:200, :300], field.power[:200, :300])
    assert np.isnan(made).sum() == made.size - 200 * 300 - 300 * 300
    assert result.gains.decibels == {"a": 0.0, "b": 0.0}
    assert [note[:20] for note in result.notes] == ["track a keeps 0 dB: ", "track b keeps 0 dB: "]


def test_gains_of_a_chain_are_those_of_least_squares(field: Field) -> None:
    boxes = {"a": (0, 0, 700, 400), "b": (0, 200, 700, 400), "c": (0, 380, 700, 520)}
    true = {"a": 1.0, "b": -0.4, "c": 0.3}
    inputs = [MosaicInput(field.cut(n, b, gain_db=true[n]), n) for n, b in boxes.items()]
    gains = estimate_gains(inputs)
    assert sum(gains.decibels.values()) == pytest.approx(0, abs=2e-4)
    for name, gain in gains.decibels.items():
        assert gain == pytest.approx(np.mean(list(true.values())) - true[name], abs=2e-3)
    assert json.loads(json.dumps(gains.to_json()))["gains_db"] == gains.decibels


def test_local_resolution_weights_are_one_over_area(field: Field) -> None:
    rng = np.random.default_rng(5)
    inputs, powers, areas = [], [], []
    for number in range(3):
        power = rng.gamma(4, 0.05, (90, 120)).astype(np.float32)
        area = rng.uniform(0.3, 6, (90, 120)).astype(np.float32)
        power[rng.random(power.shape) < 0.2] = np.nan
        area[:5, :7] = 0.0 if number else np.nan
        grid = grid_at(0, 0, 90, 120)
        path = write(field.folder / f"p{number}.tif", grid, power)
        inputs.append(
            MosaicInput(path, f"t{number}", area=write(field.folder / f"a{number}.tif", grid, area))
        )
        powers.append(power.astype(np.float64))
        areas.append(area.astype(np.float64))
    options = MosaicOptions(weighting="area", harmonization=False)
    made = read(mosaic(inputs, None, field.folder / "m.tif", options).path)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = 1 / np.array(areas)
        weight[~np.isfinite(weight) | np.isnan(powers)] = 0
        expected = (weight * np.nan_to_num(powers)).sum(axis=0) / weight.sum(axis=0)
    np.testing.assert_array_equal(np.isnan(made), np.isnan(expected))
    np.testing.assert_allclose(made, expected, rtol=2e-6)


def test_the_same_whatever_the_threads_and_wherever_blocks_are_cut(
    field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = two(field)
    first = mosaic(inputs, None, field.folder / "a.tif", MosaicOptions(threads=1)).path
    monkeypatch.setattr(alos2.mosaic.cells, "_WINDOW", (64, 48))

    def odd(shape: RasterShape) -> Iterator[Window]:
        for line in range(0, shape.lines, 37):
            for pixel in range(0, shape.pixels, 101):
                lines, pixels = min(37, shape.lines - line), min(101, shape.pixels - pixel)
                yield Window(line, pixel, lines, pixels)

    monkeypatch.setattr(alos2.mosaic.make, "blocks", odd)
    second = mosaic(inputs, None, field.folder / "b.tif", MosaicOptions(threads=3)).path
    assert first.read_bytes() == second.read_bytes()


def test_a_grid_that_is_given_is_kept_and_places_change_nothing(field: Field) -> None:
    inputs = two(field)
    whole = read(mosaic(inputs, None, field.folder / "a.tif", MosaicOptions()).path)
    grid = grid_at(-13, 333, 500, 1000)
    result = mosaic(inputs, grid, field.folder / "b.tif", MosaicOptions())
    made = read(result.path)
    assert read_grid(result.path).transform == grid.transform
    assert np.isnan(made[:13]).all()
    np.testing.assert_array_equal(made[13:, : 900 - 333], whole[: 500 - 13, 333:])
    assert np.isnan(made[:, 900 - 333 :]).all()


def test_it_is_cut_to_the_area_of_interest(field: Field) -> None:
    corners = [(405_000, 3_996_000), (415_000, 3_996_000), (410_000, 3_988_000)]
    on_map = Polygon(corners)
    to_lonlat = Transformer.from_crs(32654, 4326, always_xy=True).transform
    area = {"type": "Polygon", "coordinates": [[to_lonlat(*at) for at in on_map.exterior.coords]]}
    inputs = two(field)
    options = MosaicOptions(cut_to_aoi=area)
    result = mosaic(inputs, None, field.folder / "m.tif", options)
    made = read(result.path)
    whole = read(mosaic(inputs, None, field.folder / "w.tif", MosaicOptions()).path)
    assert abs(result.grid.shape.lines - 320) <= 1
    assert abs(result.grid.shape.pixels - 400) <= 1
    _, _, west, _, _, north = result.grid.transform
    line, pixel = round((4_000_000 - north) / 25), round((west - 400_000) / 25)
    part = whole[line : line + made.shape[0], pixel : pixel + made.shape[1]]
    for j in range(0, made.shape[0], 7):
        for i in range(0, made.shape[1], 7):
            centre = Point(west + (i + 0.5) * 25, north - (j + 0.5) * 25)
            if on_map.exterior.distance(centre) < 1:
                continue
            expected = part[j, i] if on_map.contains(centre) else np.nan
            np.testing.assert_equal(made[j, i], expected)
    feature = {"type": "Feature", "geometry": area, "properties": {}}
    again = mosaic(inputs, None, field.folder / "f.tif", MosaicOptions(cut_to_aoi=feature))
    assert again.path.read_bytes() == result.path.read_bytes()


@pytest.mark.parametrize(
    ("area", "said"),
    [
        ({"type": "Point", "coordinates": [141, 36]}, "is a Point"),
        ({"type": "Polygon"}, "no GeoJSON geometry"),
        (
            {"type": "Polygon", "coordinates": [[[10, 10], [11, 10], [11, 11], [10, 10]]]},
            "does not touch|cannot be brought",
        ),
    ],
)
def test_an_area_that_cannot_be_cut_to_is_named(field: Field, area: Any, said: str) -> None:
    out = field.folder / "m.tif"
    with pytest.raises(UsageError, match=said):
        mosaic(two(field), None, out, MosaicOptions(cut_to_aoi=area))
    assert not out.exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"spacing": 20.0}, "pixels of 20 x 20"),
        ({"epsg": 32655}, "EPSG:32655"),
    ],
)
def test_another_grid_family_is_refused(field: Field, changed: Any, said: str) -> None:
    other = write(
        field.folder / "other.tif", grid_at(0, 0, 50, 60, **changed), np.ones((50, 60), np.float32)
    )
    inputs = [two(field)[0], MosaicInput(other, "other")]
    with pytest.raises(UsageError, match=f"{said}.* do not share their pixels.*snapped"):
        mosaic(inputs, None, field.folder / "m.tif", MosaicOptions())
    with pytest.raises(UsageError, match="do not share their pixels"):
        union_grid([read_grid(source.path) for source in inputs])


def test_pixels_that_lie_between_pixels_are_refused(field: Field) -> None:
    grid = grid_at(0, 0, 50, 60)
    a, b, c, d, e, f = grid.transform
    half = replace(grid, transform=(a, b, c + 12.5, d, e, f))
    other = write(field.folder / "other.tif", half, np.ones((50, 60), np.float32))
    with pytest.raises(UsageError, match="do not share their pixels"):
        mosaic(
            [two(field)[0], MosaicInput(other, "o")], None, field.folder / "m.tif", MosaicOptions()
        )


def test_other_bad_input_is_named(field: Field) -> None:
    inputs, out = two(field), field.folder / "m.tif"
    out.write_bytes(b"what was there")
    with pytest.raises(UsageError, match="nothing to mosaic"):
        mosaic([], None, out, MosaicOptions())
    with pytest.raises(UsageError, match="track left is in one mosaic twice"):
        mosaic([inputs[0], inputs[0]], None, out, MosaicOptions())
    with pytest.raises(UsageError, match="scattering area of track left"):
        mosaic(inputs, None, out, MosaicOptions(weighting="area"))
    with pytest.raises(UsageError, match="how to mosaic 'mean'"):
        mosaic(inputs, None, out, MosaicOptions(), metric="mean")
    with pytest.raises(UsageError, match="gains cannot be found from cov"):
        estimate_gains(inputs, metric="cov")
    with pytest.raises(BadProduct, match="no band 2"):
        mosaic([MosaicInput(inputs[0].path, "a", band=2)], None, out, MosaicOptions())
    with pytest.raises(BadProduct, match=r"gone\.tif.* cannot be read"):
        mosaic([MosaicInput(field.folder / "gone.tif", "a")], None, out, MosaicOptions())
    codes = write(
        field.folder / "codes.tif", grid_at(0, 0, 50, 60), np.ones((50, 60), np.uint8), nodata=0
    )
    with pytest.raises(UsageError, match="uint8 numbers are codes"):
        mosaic([MosaicInput(codes, "a")], None, out, MosaicOptions())
    with pytest.raises(Interrupted):
        mosaic(inputs, None, out, MosaicOptions(), cancelled=lambda: True)
    assert out.read_bytes() == b"what was there"
    assert sorted(p.name for p in field.folder.iterdir() if p.name.startswith(".")) == []


def test_a_file_cut_short_is_named_and_leaves_nothing(field: Field) -> None:
    inputs = two(field)
    whole = inputs[1].path.read_bytes()
    inputs[1].path.write_bytes(whole[: len(whole) // 2])
    out = field.folder / "m.tif"
    with pytest.raises(BadProduct, match=r"right\.tif"):
        mosaic(inputs, None, out, MosaicOptions())
    assert not out.exists()
    assert sorted(p.name for p in field.folder.iterdir() if p.name.startswith(".")) == []


def test_what_was_done_is_in_the_file(field: Field) -> None:
    path = mosaic(
        two(field), None, field.folder / "m.tif", MosaicOptions(), tags={"dates": "2020-06-15"}
    ).path
    with rasterio.open(path) as dataset:
        tags = dataset.tags()
        assert dataset.overviews(1)
    assert tags["tracks"] == "left,right"
    assert tags["weighting"] == "feather"
    assert json.loads(tags["gains_db"]) == {"left": -0.75, "right": 0.75}
    assert tags["dates"] == "2020-06-15"


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_overviews_of_decibels_are_means_of_power(field: Field, dtype: Any) -> None:
    encoding = Encoding("db", dtype)
    path = mosaic(two(field), None, field.folder / "m.tif", MosaicOptions(), encoding=encoding).path
    with rasterio.open(path) as dataset:
        assert dataset.tags()["overviews"].startswith("means of power")
        full = encoding.decode(dataset.read(1))
    with rasterio.open(path, overview_level=0) as dataset:
        half = encoding.decode(dataset.read(1))
    means = full.reshape(350, 2, 450, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(decibels(half), decibels(means), atol=0.07)


def test_an_older_result_is_replaced(field: Field, tmp_path: Path) -> None:
    out = tmp_path / "m.tif"
    out.write_bytes(b"old")
    mosaic(two(field), None, out, MosaicOptions())
    assert read(out).shape == (700, 900)
