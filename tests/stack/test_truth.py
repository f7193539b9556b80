"""From simulated deliveries to series and metrics, by `stack run`'s own way: is it true?"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from pyproj import Transformer

from alos2.raster.lean import rasterio
from alos2.simulate import Change, SimulationSpec, StackSpec, Terrain, simulate_stack
from alos2.simulate.ground import TangentPlane
from alos2.stack.config.read import load_config
from alos2.stack.running.whole import Wanted, make_whole
from alos2.timeseries.series import load_series

Floats = npt.NDArray[np.floating[Any]]

SHORE = (
    (-1300.0, -160.0), (-900.0, 60.0), (-500.0, -40.0), (-150.0, 130.0), (250.0, 20.0),
    (650.0, 150.0), (1400.0, 40.0), (1400.0, -1250.0), (700.0, -980.0), (250.0, -1130.0),
    (-250.0, -920.0), (-700.0, -1080.0), (-1300.0, -880.0),
)  # fmt: skip
"""The flooded plain, metres east and north."""
DROP_DB = -9.0
WET = (2, 3)
"""Numbers of the dates that see the flood."""
EDGE_M = 60.0
"""So far from the edges of parcels and water values are those of one ground."""
CONFIG = """
[stack]
folders = ["{folder}"]
work_dir = "{work}"
[single_ARD]
resolution = 25.0
[single_ARD.dem]
path = "{dem}"
heights = "ellipsoid"
[time-series_ARD]
remove_mt_speckle = {filtered}
[time-scan_ARD]
metrics = ["avg", "max", "min", "median", "std", "cov", "count"]
remove_outliers = false
[animation]
formats = []
"""


@dataclass(frozen=True)
class Flood:
    """A stack that was run, and what is true of its ground."""

    folder: Path
    track: Path
    truth: dict[str, Any]

    def power(self, polarization: str) -> Floats:
        """Shape (dates, lines, pixels)."""
        series = load_series(self.track / "Timeseries", polarization)
        planes = []
        for layer in series.layers:
            with rasterio.open(layer.path) as file:
                planes.append(series.encoding.decode(file.read(layer.band)))
        return np.array(planes, dtype=np.float64)

    def metric(self, polarization: str, name: str) -> Floats:
        with rasterio.open(self.track / "Timescan" / f"bs.{polarization}.{name}.tif") as file:
            return np.asarray(file.read(1), dtype=np.float64)

    def places(self) -> tuple[Floats, Floats]:
        """Metres east and north of the ground's centre, of the middles of the pixels."""
        grid = load_series(self.track / "Timeseries", "HH").grid
        a, _, c, _, e, f = grid.transform
        east, north = np.meshgrid(
            c + a * (np.arange(grid.shape.pixels) + 0.5),
            f + e * (np.arange(grid.shape.lines) + 0.5),
        )
        lon, lat = Transformer.from_crs(grid.crs_wkt, "EPSG:4326", always_xy=True).transform(
            east, north
        )
        return TangentPlane(*self.truth["ground_center"]).xy(lon, lat)

    def gamma0(self, polarization: str) -> Floats:
        """Of each pixel without the flood, dB; NaN near the edges of parcels."""
        x, y = self.places()
        found = np.full(x.shape, np.nan)
        for parcel in self.truth["parcels"]:
            west, south, east, north = parcel["box_m"]
            inside = (x > west + EDGE_M) & (x < east - EDGE_M)
            inside &= (y > south + EDGE_M) & (y < north - EDGE_M)
            found[inside] = parcel["by_date"][self.truth["dates"][0]][polarization]
        return found

    def wet(self) -> npt.NDArray[np.bool_]:
        x, y = self.places()
        return np.asarray(shapely.contains_xy(shapely.Polygon(SHORE), x, y))

    def near_shore(self) -> npt.NDArray[np.bool_]:
        x, y = self.places()
        shore = shapely.Polygon(SHORE).exterior.buffer(EDGE_M)
        return np.asarray(shapely.contains_xy(shore, x, y))


def decibels(power: Floats) -> Floats:
    return np.asarray(10.0 * np.log10(power))


@pytest.fixture(scope="session")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Any]]:
    """Five dates of a ridge that runs north, its ends flooded on two of them."""
    flood = Change(date(2020, 7, 5), DROP_DB, date(2020, 8, 2), polygon=SHORE)
    scene = SimulationSpec(
        level="2.1", mode="FBD", pixels=210, lines=210, spacing_m=12.5, seed=4, targets=False,
        terrain=Terrain("ridge", 150.0, 1300.0, -10.0), changes=(flood,),
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("flood") / "in"
    made = simulate_stack(StackSpec(scene, dates=5), folder)
    assert made.dem_path is not None
    return folder, made.dem_path, json.loads(made.truth_path.read_text(encoding="utf-8"))


def run(delivered: tuple[Path, Path, dict[str, Any]], where: Path, *, filtered: bool) -> Flood:
    folder, dem, truth = delivered
    config = where / "stack.toml"
    text = CONFIG.format(
        folder=folder, dem=dem, work=where / "work", filtered=str(filtered).lower()
    )
    config.write_text(text)
    done = make_whole(load_config(config), Wanted(steps=("timescan",), threads=2))
    done.report.raise_failures()
    (track,) = done.plan.tracks
    return Flood(where / "work", where / "work" / track.name, truth)


@pytest.fixture(scope="session")
def flood(
    delivered: tuple[Path, Path, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Flood:
    """Filtered over time, as usual."""
    return run(delivered, tmp_path_factory.mktemp("filtered"), filtered=True)


@pytest.fixture(scope="session")
def plain(
    delivered: tuple[Path, Path, dict[str, Any]],
    flood: Flood,
    tmp_path_factory: pytest.TempPathFactory,
) -> Flood:
    """Without the filter: pixels do not hang on their neighbours. The scenes are the same."""
    where = tmp_path_factory.mktemp("plain")
    shutil.copytree(flood.folder, where / "work")
    return run(delivered, where, filtered=False)


@pytest.mark.parametrize(("which", "least"), [("flood", 0.93), ("plain", 0.97)])
def test_the_flood_is_found_where_it_is(
    which: str, least: float, request: pytest.FixtureRequest
) -> None:
    """The filter over time works in windows: shores become a little softer."""
    stack: Flood = request.getfixturevalue(which)
    power = stack.power("HH")
    dry = [number for number in range(5) if number not in WET]
    drop = decibels(power[list(WET)].mean(0)) - decibels(power[dry].mean(0))
    seen = np.isfinite(drop)
    assert seen.sum() > 7000
    found, true = drop[seen] < 0.5 * DROP_DB, stack.wet()[seen]
    assert 0.25 < true.mean() < 0.6
    assert (found & true).sum() / (found | true).sum() > least


@pytest.mark.parametrize("polarization", ["HH", "HV"])
def test_parcels_have_their_gamma_nought_on_each_date(plain: Flood, polarization: str) -> None:
    power, gamma0 = plain.power(polarization), plain.gamma0(polarization)
    wet, shore = plain.wet(), plain.near_shore()
    checked = 0
    for value in np.unique(gamma0[np.isfinite(gamma0)]):
        for flooded in (False, True):
            place = (gamma0 == value) & (wet == flooded) & ~shore & np.isfinite(power).all(0)
            if place.sum() < 250:
                continue
            for number in range(5):
                expected = value + (DROP_DB if flooded and number in WET else 0.0)
                assert decibels(power[number][place].mean()) == pytest.approx(expected, abs=0.4)
            before = [0, 1, 4] if flooded else [0, 1, 2, 3, 4]
            assert decibels(power[before][:, place].mean()) == pytest.approx(value, abs=0.2)
            if flooded:
                during = decibels(power[list(WET)][:, place].mean())
                assert during == pytest.approx(value + DROP_DB, abs=0.2)
            checked += 1
    assert checked >= 4


def steepness(flood: Flood) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """Yield the slopes that face the radar, those that face away, and the level ground."""
    ard = flood.track / "ARD" / "20200615"
    with rasterio.open(ard / "20200615-li.tif") as file:
        local = file.read(1)
    with rasterio.open(ard / "20200615-ei.tif") as file:
        ellipsoid = file.read(1)
    with rasterio.open(ard / "20200615-dm.tif") as file:
        clear = file.read(1) == 1
    tilt = ellipsoid - local
    yield "faces", clear & (tilt > 8.0)
    yield "level", clear & (np.abs(tilt) < 1.0)
    yield "away", clear & (tilt < -8.0)


@pytest.mark.parametrize("polarization", ["HH", "HV"])
def test_the_ridge_is_flat_but_for_two_tenths(plain: Flood, polarization: str) -> None:
    gamma0, dry = plain.gamma0(polarization), ~plain.wet() & ~plain.near_shore()
    ratio = plain.power(polarization) / 10.0 ** (0.1 * gamma0)
    for name, slope in steepness(plain):
        there = ratio[:, slope & dry & np.isfinite(gamma0)]
        there = there[np.isfinite(there)]
        assert there.size > 1500, name
        assert abs(decibels(there.mean())) < 0.2, name


@pytest.mark.parametrize("polarization", ["HH", "HV"])
def test_metrics_are_those_of_the_series(flood: Flood, polarization: str) -> None:
    power = flood.power(polarization)
    valid = np.isfinite(power).any(0)
    power = power[:, valid]
    mean, spread = np.nanmean(power, 0), np.nanstd(power, 0)
    expected = {
        "avg": decibels(mean),
        "max": decibels(np.nanmax(power, 0)),
        "min": decibels(np.nanmin(power, 0)),
        "median": decibels(np.nanmedian(power, 0)),
        "std": spread,
        "cov": spread / mean,
        "count": np.isfinite(power).sum(0),
    }
    for name, values in expected.items():
        found = flood.metric(polarization, name)
        np.testing.assert_allclose(found[valid], values, rtol=2e-5, atol=1e-6, err_msg=name)
        assert np.isnan(found[~valid]).all() or name == "count"


def test_the_filter_over_time_keeps_the_mean_and_calms_the_ground(
    flood: Flood, plain: Flood
) -> None:
    calm, rough = flood.power("HH"), plain.power("HH")
    gamma0, dry = plain.gamma0("HH"), ~plain.wet() & ~plain.near_shore()
    place = dry & np.isfinite(gamma0) & np.isfinite(calm).all(0) & np.isfinite(rough).all(0)
    scale = 10.0 ** (0.1 * gamma0[place])
    calm, rough = calm[:, place] / scale, rough[:, place] / scale
    assert calm.mean() == pytest.approx(rough.mean(), rel=0.01)
    looks = [float(one.mean() ** 2 / one.var()) for one in (rough, calm)]
    assert looks[1] > 2.5 * looks[0]
