"""Counting tiles before they are drawn, and what a composite is made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from alos2.raster.composite import composite_pair, plan_layers, ratio
from alos2.raster.delivery import Delivery, plan_deliveries
from alos2.raster.extent import bounds_of, count_tiles
from alos2.raster.pictures import PictureOptions, make_pictures
from alos2.raster.places import Places


@pytest.mark.parametrize("rotation", [0.0, 12.0])
def test_the_count_is_never_too_low_and_hardly_too_high(
    make: Any, tmp_path: Any, rotation: float
) -> None:
    lines, pixels = np.mgrid[0:900, 0:1100]
    inside = (lines + 0.3 * pixels > 250) & (lines + 0.3 * pixels < 900)
    dn = np.where(inside, make.dn(-10.0), 0).astype(np.uint16)
    product = make.mapped(dn, make.utm(dn.shape, spacing=30.0, rotation_deg=rotation))
    options = PictureOptions(max_zoom=13, stretch_db=(-20.0, 0.0))
    (layer,) = make_pictures(product, tmp_path, dataset_id="x", options=options).layers
    counted = count_tiles(Places(product.images[0].grid), inside[::2, ::2], 0, 13)
    assert set(counted) == set(range(14))
    for zoom, most in counted.items():
        there = len(list((tmp_path / f"tiles/HH/{zoom}").rglob("*.png")))
        assert there <= most <= there * 1.25 + 2
    assert layer.count <= sum(counted.values()) <= layer.count * 1.15


def test_across_the_antimeridian(make: Any) -> None:
    grid = make.utm((600, 600), epsg=32660, corner=(815_000.0, 1_000_000.0), spacing=50.0)
    places = Places(replace(grid))
    west, south, east, north = bounds_of(places)
    assert (west, east) == (-180.0, 180.0)
    assert 8.0 < south < north < 9.5
    counted = count_tiles(places, np.ones((60, 60), bool), 0, 10)
    assert counted[0] == 1
    assert counted[10] <= 9


def test_round_the_pole(make: Any) -> None:
    grid = replace(
        make.utm((300, 300), corner=(-900_000.0, 900_000.0), spacing=6000.0),
        epsg=3413,
        crs_wkt="EPSG:3413",
    )
    west, south, east, north = bounds_of(Places(grid))
    assert (west, east) == (-180.0, 180.0)
    assert north == pytest.approx(85.0511, abs=1e-3)
    assert 75.0 < south < 82.0
    assert count_tiles(Places(grid), np.ones((300, 300), bool), 0, 3)[3] >= 8


def test_nothing_within_the_map_needs_no_tile(make: Any) -> None:
    grid = make.utm((40, 40), epsg=32633, corner=(480_000.0, 9_700_000.0), spacing=100.0)
    assert set(count_tiles(Places(grid), np.ones((40, 40), bool), 0, 8).values()) == {0}


def test_which_layers_stay_as_files() -> None:
    names = ["HH", "HV", "RGB"]
    per_zoom = {name: {12: 100, 13: 400, 14: 1600} for name in names}
    free = plan_deliveries(names, "HH", per_zoom, PictureOptions())
    assert set(free.layers.values()) == {Delivery(14, archive=False)}
    alone = plan_deliveries(names, "HH", per_zoom, PictureOptions(tile_budget=3000))
    assert alone.layers["HH"] == Delivery(14, archive=False)
    assert alone.layers["HV"] == alone.layers["RGB"] == Delivery(None, archive=True)
    shallow = plan_deliveries(names, "HH", per_zoom, PictureOptions(tile_budget=600))
    assert shallow.layers["HH"] == Delivery(13, archive=True)
    nothing = plan_deliveries(names, "HH", per_zoom, PictureOptions(tile_budget=10))
    assert nothing.layers["HH"] == Delivery(None, archive=True)
    packed = plan_deliveries(names, "HH", per_zoom, PictureOptions(pmtiles=True))
    assert set(packed.layers.values()) == {Delivery(None, archive=True)}
    assert packed.note == free.note == ""


def test_beams_count_for_what_they_are() -> None:
    names = ["HH", "HH-F1", "HH-F2"]
    per_zoom = {"HH": {13: 20, 14: 80}, "HH-F1": {13: 12, 14: 45}, "HH-F2": {13: 12, 14: 44}}
    all_tiles = 20 + 80 + 12 + 45 + 12 + 44
    within = plan_deliveries(names, "HH", per_zoom, PictureOptions(tile_budget=all_tiles))
    assert set(within.layers.values()) == {Delivery(14, archive=False)}
    beyond = plan_deliveries(names, "HH", per_zoom, PictureOptions(tile_budget=all_tiles - 1))
    assert beyond.layers["HH"] == Delivery(14, archive=False)
    assert beyond.layers["HH-F1"] == beyond.layers["HH-F2"] == Delivery(None, archive=True)
    assert f"up to {all_tiles} tiles" in beyond.note
    assert "PMTiles: HH-F1, HH-F2" in beyond.note


def test_beams_are_layers_behind_the_composite() -> None:
    beams = [("HH", "F1"), ("HH", "F2"), ("HV", "F1"), ("HV", "F2")]
    layers = plan_layers(["HH", "HV"], beams, composite=True)
    assert [layer.name for layer in layers] == [
        "HH", "HV", "RGB", "HH-F1", "HH-F2", "HV-F1", "HV-F2",
    ]  # fmt: skip
    for band, layer in enumerate(layers[3:], 2):
        (channel,) = layer.channels
        assert channel.channel.band == band
        assert channel.limits == layer.name[:2]
        assert channel.shows == layer.name


@pytest.mark.parametrize(
    ("polarizations", "channels"),
    [
        (("HH",), None),
        (("HH", "HV"), ["HH", "HV", "HH/HV"]),
        (("VH", "VV"), ["VV", "VH", "VV/VH"]),
        (("HH", "HV", "VH", "VV"), ["HH", "HV", "HH/HV"]),
        (("HH", "VV"), None),
    ],
)
def test_what_the_composite_is_made_of(polarizations: Any, channels: Any) -> None:
    layers = plan_layers(polarizations, composite=True)
    assert [layer.name for layer in layers[: len(polarizations)]] == list(polarizations)
    if channels is None:
        assert composite_pair(polarizations) is None
        assert len(layers) == len(polarizations)
        return
    rgb = layers[-1]
    assert rgb.name == "RGB"
    assert [channel.shows for channel in rgb.channels] == channels
    for planned, name in zip(rgb.channels, channels, strict=True):
        assert polarizations[planned.channel.band] == name.split("/")[0]
    over = rgb.channels[2].channel.over
    assert over is not None
    assert polarizations[over] == channels[1]
    assert len(plan_layers(polarizations, composite=False)) == len(polarizations)


def test_the_ratio_has_no_data_where_either_has_none() -> None:
    co = np.array([4.0, np.nan, 2.0], np.float32)
    cross = np.array([2.0, 1.0, np.nan], np.float32)
    np.testing.assert_array_equal(ratio(co, cross), np.array([2, np.nan, np.nan], np.float32))
