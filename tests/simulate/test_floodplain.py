"""The ground of the worked example."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np

from alos2.raster.lean import rasterio
from alos2.simulate.floodplain import BEFORE, DATES, TRACKS, flood, heights_m
from alos2.simulate.regions import polygon


def test_two_dates_of_each_track_see_the_flood_and_the_next_one_pools(tmp_path: Path) -> None:
    made = flood(tmp_path / "made" / "dem.tif")
    begins, recedes = made.days
    by_track: dict[int, list[str]] = {}
    for scene in made.stack.scenes():
        day = scene.spec.date
        word = "flood" if begins <= day < recedes else "dry"
        if recedes <= day < recedes + timedelta(days=15):
            word = "pools"
        by_track.setdefault(scene.track, []).append(word)
    before = ["dry"] * (BEFORE + 1)
    assert len(by_track) == TRACKS
    assert set(map(tuple, by_track.values())) == {(*before, "flood", "flood", "pools", "dry")}
    assert len(by_track[0]) == DATES


def test_water_lies_in_the_plain_and_not_on_the_hills(tmp_path: Path) -> None:
    made = flood(tmp_path / "dem.tif", size=64)
    assert made.stack.scene.shape == (64, 64)
    x, y = (v.astype(np.float32) for v in np.meshgrid(*[np.arange(-3000.0, 3000.0, 50.0)] * 2))
    wet = polygon(made.water)(x, y)
    heights = heights_m(x.astype(np.float64), y.astype(np.float64))
    assert 0.2 < wet.mean() < 0.5
    assert heights[wet].max() == heights.min()
    assert heights.max() > 150.0


def test_the_relief_is_written_once(tmp_path: Path) -> None:
    dem = tmp_path / "dem.tif"
    flood(dem)
    first = dem.stat().st_mtime_ns
    flood(dem)
    assert dem.stat().st_mtime_ns == first
    with rasterio.open(dem) as file:
        assert file.crs.to_epsg() == 32654
        assert np.isfinite(file.read(1)).all()
