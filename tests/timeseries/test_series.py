"""Time series: the multi-temporal filter, masks, extents, files, strips, names."""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from alos2.errors import BadProduct, Interrupted, NothingFound, UsageError
from alos2.product.model import MapGrid
from alos2.raster.gridfile import GridFile
from alos2.raster.strips import strip_ranges
from alos2.speckle import Speckle, SpeckleFilter
from alos2.timeseries import making, mtfilter
from alos2.timeseries.acquired import steps
from alos2.timeseries.mtfilter import local_mean, multitemporal
from alos2.timeseries.series import (
    Acquired,
    SeriesOptions,
    common_grid,
    join_series,
    load_series,
    series_names,
    write_series,
)
from alos2.types import RasterShape, Window

WKT = rasterio.crs.CRS.from_epsg(32654).to_wkt()
DAY = datetime(2020, 6, 15, 4, 33, 42, tzinfo=timezone.utc)
BOXCAR = SpeckleFilter("Boxcar")
PLAIN = SeriesOptions(remove_mt_speckle=False, to_db=False)


def grid_of(lines: int, pixels: int, line: int = 0, pixel: int = 0) -> MapGrid:
    corner = (25.0, 0.0, 4e5 + 25 * pixel, 0.0, -25.0, 4e6 - 25 * line)
    return MapGrid(WKT, 32654, corner, RasterShape(lines, pixels))


def speckle(shape: tuple[int, ...], looks: float = 4, seed: int = 0) -> np.ndarray:
    return (0.05 * np.random.default_rng(seed).gamma(looks, 1 / looks, shape)).astype(np.float32)


def put(path: Path, grid: MapGrid, values: np.ndarray, nodata: Any = np.nan) -> Path:
    with GridFile(
        path, grid, dtype=values.dtype.name, nodata=nodata, layout="tiled", compress=None
    ) as file:
        file.write(Window(0, 0, *grid.shape), values)
    return path


def scenes(
    folder: Path, stack: np.ndarray, masks: np.ndarray | None = None, **said: Any
) -> list[Acquired]:
    made = []
    for number, power in enumerate(stack):
        grid = grid_of(*power.shape)
        path = put(folder / f"scene{number}.tif", grid, power)
        mask = None
        if masks is not None:
            mask = put(folder / f"mask{number}.tif", grid, masks[number], 0)
        made.append(Acquired(path, DAY + timedelta(14 * number), mask, **said))
    return made


def read(series: Any) -> np.ndarray:
    planes = []
    for layer in series.layers:
        with rasterio.open(layer.path) as file:
            planes.append(series.encoding.decode(file.read(layer.band)))
    return np.stack(planes)


def slow_multitemporal(stack: np.ndarray, radius: int = 3) -> np.ndarray:
    """Quegan and Yu's filter of boxcars, said as slowly as can be."""
    padded = np.pad(stack.astype(float), ((0, 0), (radius, radius), (radius, radius)),
                    constant_values=np.nan)  # fmt: skip
    size = 2 * radius + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of pixels that never have data
        mean = np.nanmean(windows, axis=(3, 4))
        shared = np.nanmean(np.where(np.isnan(stack), np.nan, stack / mean), axis=0)
    return np.where(np.isnan(stack), np.nan, mean * shared)


@pytest.fixture(scope="module")
def gappy() -> np.ndarray:
    stack = speckle((6, 60, 50), seed=2)
    stack[1, :20] = np.nan
    stack[3, 30:40, 10:30] = np.nan
    stack[:5, 50:, 40:] = np.nan
    return stack


def test_the_filter_is_the_reference_with_and_without_gaps(gappy: np.ndarray) -> None:
    for stack in (speckle((4, 40, 40)), gappy):
        known = [Speckle(4.0, np.inf)] * len(stack)
        found = multitemporal(stack, BOXCAR, known)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, slow_multitemporal(stack), rtol=1e-5)


@pytest.mark.parametrize(("dates", "looks"), [(2, 1.0), (10, 4.0), (30, 4.0)])
def test_looks_are_gained_as_theory_says_and_the_mean_is_kept(dates: int, looks: float) -> None:
    level = np.geomspace(0.3, 3, dates).astype(np.float32)[:, None, None]
    stack = speckle((dates, 260, 260), looks, seed=7) * level
    found = multitemporal(stack, BOXCAR, [Speckle(looks, np.inf)] * dates)
    inside = found[:, 4:-4, 4:-4].astype(float)
    expected = looks * 49 * dates / (49 + dates - 1)
    gained = inside.mean((1, 2)) ** 2 / inside.var((1, 2))
    assert gained.mean() == pytest.approx(expected, rel=0.03)
    ratio = inside.mean((1, 2)) / (0.05 * level.ravel())
    assert np.abs(ratio - 1).max() < 0.015  # what speckle leaves of the mean of one date
    kept = inside.mean((1, 2)) / stack[:, 4:-4, 4:-4].mean((1, 2), dtype=float)
    assert np.abs(kept - 1).max() < 0.005


@pytest.mark.parametrize(
    ("name", "looks"),
    # The others' means follow the pixel itself, which costs a few parts of 1/looks (docs).
    [("Boxcar", 1.0), ("Boxcar", 4.0), ("Lee", 16.0), ("Refined Lee", 16.0), ("Frost", 16.0)],
)
def test_the_mean_is_kept_with_any_local_mean_and_with_gaps(name: Any, looks: float) -> None:
    stack = speckle((8, 200, 200), looks, seed=9)
    stack[np.random.default_rng(4).random(stack.shape) < 0.2] = np.nan
    stack[2, :100] = np.nan
    found = multitemporal(stack, SpeckleFilter(name), [Speckle(looks, np.inf)] * 8)
    assert np.array_equal(np.isnan(found), np.isnan(stack))
    means = np.nanmean(found, (1, 2), dtype=float) / np.nanmean(stack, (1, 2), dtype=float)
    assert np.abs(means - 1).max() < 0.005
    for plane in found:
        inside = plane[110:190, 10:190]
        assert np.nanmean(inside) ** 2 / np.nanvar(inside, dtype=float) > 4 * looks


@pytest.mark.parametrize("looks", [1.0, 4.0, 16.0])
@pytest.mark.parametrize("gaps", [False, True])
def test_the_default_keeps_the_mean_within_half_a_percent(looks: float, gaps: bool) -> None:
    stack = speckle((8, 250, 250), looks, seed=11)
    if gaps:
        stack[np.random.default_rng(6).random(stack.shape) < 0.2] = np.nan
        stack[1, :, 90:] = np.nan
    wanted = SeriesOptions().mt_filter
    assert wanted is not None
    found = multitemporal(stack, wanted, [Speckle(looks, np.inf)] * 8)
    means = np.nanmean(found, (1, 2), dtype=float) / np.nanmean(stack, (1, 2), dtype=float)
    assert np.abs(means - 1).max() < 0.005
    assert abs(np.nanmean(found, dtype=float) / np.nanmean(stack, dtype=float) - 1) < 0.001


@pytest.mark.parametrize("name", ["Boxcar", "Refined Lee", "Lee Sigma"])
def test_lines_are_filtered_in_pieces_of_any_width(
    gappy: np.ndarray, monkeypatch: pytest.MonkeyPatch, name: Any
) -> None:
    known = Speckle(4.0, 0.15)
    whole = local_mean(gappy[1], SpeckleFilter(name), known)
    monkeypatch.setattr(mtfilter, "_COLUMNS", 7)
    assert np.array_equal(local_mean(gappy[1], SpeckleFilter(name), known), whole, equal_nan=True)


def test_a_change_at_one_date_stays_there() -> None:
    stack = speckle((6, 90, 90), 16, seed=3)
    stack[3, 30:60, 30:60] *= 0.1
    found = multitemporal(stack, SpeckleFilter("Refined Lee"), [Speckle(16.0, np.inf)] * 6)
    middle = found[:, 35:55, 35:55].mean((1, 2))
    assert middle[3] == pytest.approx(0.005, rel=0.1)
    np.testing.assert_allclose(np.delete(middle, 3), 0.05, rtol=0.1)


@pytest.mark.parametrize(
    ("dtype", "to_db"), [("float32", False), ("float32", True), ("uint16", True)]
)
def test_files_of_a_series(tmp_path: Path, gappy: np.ndarray, dtype: Any, to_db: bool) -> None:
    options = SeriesOptions(
        mt_speckle_filter=BOXCAR, dtype_output=dtype, to_db=to_db, compress="ZSTD"
    )
    told: list[tuple[str, int, int | None]] = []
    series = write_series(
        scenes(tmp_path, gappy)[::-1], tmp_path / "out", "HH", options, name="P126",
        progress=lambda *said: told.append(said),
    )  # fmt: skip
    names = [f"202006{day}.bs.HH.tif" for day in (15, 29)] + [
        f"2020{day}.bs.HH.tif" for day in ("0713", "0727", "0810", "0824")
    ]
    assert [layer.path.name for layer in series.layers] == names
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [*names, "Timeseries.bs.HH.vrt"]
    assert series.encoding == options.encoding
    step = {"float32": 2e-5, "uint16": 1.3e-4}[dtype]
    np.testing.assert_allclose(read(series), slow_multitemporal(gappy), rtol=step)
    with rasterio.open(series.layers[0].path) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.units == ("dB" if to_db else "linear power",)
        assert file.tags()["acquired"] == "2020-06-15T04:33:42.000000Z"
        assert file.tags()["multitemporal_filter"] == "Quegan and Yu 2001, Boxcar 7 x 7"
    assert {stage for stage, _, _ in told} == {"speckle HH", "series HH"}
    assert told[-1] == ("series HH", 360, 360)
    loaded = load_series(tmp_path / "out", "HH")
    assert (loaded.layers, loaded.encoding, loaded.name) == (series.layers, series.encoding, "P126")
    assert loaded.grid == series.grid


def test_a_vrt_of_relative_paths(tmp_path: Path, gappy: np.ndarray) -> None:
    out = tmp_path / "out"
    series = write_series(
        scenes(tmp_path, gappy), out, "HH", replace(PLAIN, dtype_output="uint8"), name="P126 & co"
    )
    moved = out.rename(tmp_path / "moved")
    with rasterio.open(moved / "Timeseries.bs.HH.vrt") as vrt:
        assert vrt.count == 6
        assert vrt.descriptions[1] == "2020-06-29T04:33:42Z"
        assert (vrt.nodata, vrt.units[0], vrt.dtypes[0]) == (0, "dB", "uint8")
        assert vrt.scales[0] == pytest.approx(35 / 254)
        assert vrt.offsets[0] == pytest.approx(-30 - 35 / 254)
        assert vrt.tags()["track"] == "P126 & co"
        assert vrt.crs.to_epsg() == 32654
        assert tuple(vrt.transform)[:6] == series.grid.transform
        with rasterio.open(moved / series.layers[4].path.name) as file:
            assert np.array_equal(vrt.read(5), file.read(1))


def large(folder: Path, dates: int = 3) -> tuple[list[Acquired], np.ndarray]:
    """Three blocks high, with gaps and masks across their edges."""
    stack = speckle((dates, 1100, 130), seed=6)
    stack[1, 500:530, 30:60] = np.nan
    masks = np.ones(stack.shape, np.uint8)
    masks[2, 505:520, 70:90] = 2
    masks[0, 1020:1030, 5:9] = 4
    return scenes(folder, stack, masks), stack


@pytest.mark.parametrize(
    "options",
    [
        SeriesOptions(),
        SeriesOptions(mt_speckle_filter=SpeckleFilter("Lee Sigma"), dtype_output="uint16"),
        SeriesOptions(apply_ls_mask=True, ls_mask="union", extent="intersection",
                      mt_speckle_filter=BOXCAR),
        SeriesOptions(remove_mt_speckle=False, apply_ls_mask=True, dtype_output="uint8"),
    ],
)  # fmt: skip
def test_strips_and_threads_make_the_same_bytes(tmp_path: Path, options: SeriesOptions) -> None:
    acquired, _ = large(tmp_path)
    whole = write_series(acquired, tmp_path / "whole", "HV", options, name="T")
    single = replace(options, threads=1, memory_mb=1)
    grid = common_grid(acquired, options.extent)
    for lines in strip_ranges(grid, 3):
        part = write_series(acquired, tmp_path / "parts", "HV", single, name="T", lines=lines)
        assert part.grid.shape == (len(lines), 130)
    joined = join_series(acquired, tmp_path / "parts", tmp_path / "joined", "HV", options, name="T")
    assert [layer.path.name for layer in joined.layers] == [p.path.name for p in whole.layers]
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "joined" / path.name).read_bytes() == path.read_bytes()


def test_masks_of_each_date_or_of_all(tmp_path: Path) -> None:
    acquired, stack = large(tmp_path)
    own = read(write_series(acquired, tmp_path / "own", "HH", replace(PLAIN, apply_ls_mask=True)))
    wanted = stack.copy()
    wanted[2, 505:520, 70:90] = np.nan
    wanted[0, 1020:1030, 5:9] = np.nan
    assert np.array_equal(own, wanted, equal_nan=True)
    options = replace(PLAIN, apply_ls_mask=True, ls_mask="union")
    union = read(write_series(acquired, tmp_path / "union", "HH", options))
    wanted = stack.copy()
    wanted[:, 505:520, 70:90] = np.nan
    wanted[:, 1020:1030, 5:9] = np.nan
    assert np.array_equal(union, wanted, equal_nan=True)
    bare = [replace(one, mask=None) for one in acquired]
    with pytest.raises(UsageError, match=r"scene0\.tif: there is no layover"):
        write_series(bare, tmp_path / "none", "HH", replace(PLAIN, apply_ls_mask=True))
    assert not (tmp_path / "none").exists()


def test_masked_pixels_say_nothing_to_their_neighbours(tmp_path: Path) -> None:
    stack = speckle((3, 30, 30), seed=1)
    masks = np.ones(stack.shape, np.uint8)
    stack[1, 10:20, 10:20] = 100.0
    masks[1, 10:20, 10:20] = 3
    options = SeriesOptions(mt_speckle_filter=BOXCAR, to_db=False, apply_ls_mask=True)
    found = read(write_series(scenes(tmp_path, stack, masks), tmp_path / "out", "HH", options))
    assert np.nanmax(found) < 0.2


def test_extents(tmp_path: Path) -> None:
    values = speckle((2, 40, 50), seed=5)
    values[0, 35, 35] = np.nan
    acquired = [
        Acquired(put(tmp_path / "a.tif", grid_of(40, 50), values[0]), DAY),
        Acquired(put(tmp_path / "b.tif", grid_of(40, 50, 10, -5), values[1]), DAY + timedelta(1)),
    ]
    union = write_series(acquired, tmp_path / "union", "HH", PLAIN)
    assert union.grid == grid_of(50, 55, 0, -5)
    wanted = np.full((2, 50, 55), np.nan, np.float32)
    wanted[0, :40, 5:] = values[0]
    wanted[1, 10:, :50] = values[1]
    assert np.array_equal(read(union), wanted, equal_nan=True)
    common = write_series(
        acquired, tmp_path / "common", "HH", replace(PLAIN, extent="intersection")
    )
    assert common.grid == grid_of(30, 45, 10, 0)
    wanted = wanted[:, 10:40, 5:50]
    wanted[:, 25, 35] = np.nan  # what one has not, none has
    assert np.array_equal(read(common), wanted, equal_nan=True)


def test_grids_that_do_not_fit(tmp_path: Path) -> None:
    values = speckle((20, 20))
    first = Acquired(put(tmp_path / "a.tif", grid_of(20, 20), values), DAY)
    grid = grid_of(20, 20)
    half = replace(grid, transform=(25.0, 0.0, 4e5 + 12.5, 0.0, -25.0, 4e6))
    fine = replace(grid, transform=(12.5, 0.0, 4e5, 0.0, -12.5, 4e6))
    zone = replace(grid, epsg=32655, crs_wkt=rasterio.crs.CRS.from_epsg(32655).to_wkt())
    for odd in (half, fine, zone):
        other = Acquired(put(tmp_path / "odd.tif", odd, values), DAY)
        with pytest.raises(BadProduct, match=r"odd\.tif: its grid differs"):
            common_grid([first, other], "union")
    far = Acquired(put(tmp_path / "far.tif", grid_of(20, 20, 500), values), DAY)
    with pytest.raises(UsageError, match="no place in common"):
        common_grid([first, far], "intersection")
    with pytest.raises(UsageError, match="no acquisitions"):
        common_grid([], "union")


def test_only_some_dates_are_written(tmp_path: Path, gappy: np.ndarray) -> None:
    acquired = scenes(tmp_path, gappy)
    series = write_series(acquired, tmp_path / "out", "HH", PLAIN, only=[acquired[2].when])
    assert len(series.layers) == 6
    names = [series.layers[2].path.name, "Timeseries.bs.HH.vrt"]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == names


def test_names_are_all_different() -> None:
    later = DAY + timedelta(seconds=5)
    times = [DAY - timedelta(1), DAY, later, later, later]
    assert series_names(times) == [
        "20200614", "20200615T043342", "20200615T043347",
        "20200615T043347-2", "20200615T043347-3",
    ]  # fmt: skip


def test_nothing_half_made_is_left(
    tmp_path: Path, gappy: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    acquired = scenes(tmp_path, gappy)
    out = tmp_path / "out"
    out.mkdir()
    (out / "20200615.bs.HH.tif").write_text("older")
    calls: list[int] = []

    def stop() -> bool:
        calls.append(1)
        return len(calls) > 9

    with pytest.raises(Interrupted):
        write_series(acquired, out, "HH", SeriesOptions(mt_speckle_filter=BOXCAR), cancelled=stop)
    assert [p.name for p in out.iterdir()] == ["20200615.bs.HH.tif"]
    assert (out / "20200615.bs.HH.tif").read_text() == "older"
    short = acquired[4].path
    short.write_bytes(short.read_bytes()[:1200])
    with pytest.raises(BadProduct, match=r"scene4\.tif"):
        write_series(acquired, tmp_path / "new", "HH", PLAIN)
    assert not (tmp_path / "new").exists()


def test_looks_are_measured_only_where_they_are_wanted(
    tmp_path: Path, gappy: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[Any] = []

    def measure(read: Any, shape: Any) -> Speckle:
        measured.append(shape)
        return Speckle(4.0, np.inf)

    monkeypatch.setattr(making, "measure", measure)

    def times(acquired: list[Acquired], speckle_filter: SpeckleFilter) -> int:
        measured.clear()
        options = SeriesOptions(mt_speckle_filter=speckle_filter)
        write_series(acquired, tmp_path / "out", "HH", options)
        return len(measured)

    acquired = scenes(tmp_path, gappy[:2])
    assert times(acquired, BOXCAR) == 0
    assert times(acquired, SpeckleFilter("Lee")) == 2
    assert times(acquired, SpeckleFilter("Lee", looks=3.0)) == 0
    told = [replace(one, looks=4.0) for one in acquired]
    assert times(told, SpeckleFilter("Lee")) == 0
    assert times(told, SpeckleFilter("Lee Sigma")) == 2


@pytest.mark.parametrize("lines", [range(1100), range(512), range(512, 1024), range(1024, 1100)])
@pytest.mark.parametrize("halo", [0, 3, 15])
def test_steps_do_every_line_once_and_read_blocks_once(lines: range, halo: int) -> None:
    done: list[int] = []
    read_lines: list[int] = []
    for step in steps(lines, 1100, halo):
        read_lines += step.read
        assert step.read.start // 512 == (step.read.stop - 1) // 512
        done += step.done
        if step.done:
            assert min(step.done.stop + halo, 1100) <= read_lines[-1] + 1
    assert done == list(lines)
    assert read_lines == list(range(max(0, lines.start - halo), min(1100, lines.stop + halo)))


def test_what_is_no_series(tmp_path: Path, gappy: np.ndarray) -> None:
    with pytest.raises(NothingFound, match="no time series of HH"):
        load_series(tmp_path, "HH")
    with pytest.raises(NothingFound, match="no strips"):
        join_series(scenes(tmp_path, gappy), tmp_path, tmp_path / "out", "HH", PLAIN)
    put(tmp_path / "20200615.bs.HH.tif", grid_of(20, 20), speckle((20, 20)))
    with pytest.raises(BadProduct, match=r"20200615\.bs\.HH\.tif: it is no file of a time series"):
        load_series(tmp_path, "HH")
    codes = put(tmp_path / "codes.tif", grid_of(20, 20), np.ones((20, 20), np.uint8), 0)
    with pytest.raises(BadProduct, match=r"codes\.tif: its pixels are uint8"):
        write_series([Acquired(codes, DAY)], tmp_path / "out", "HH", PLAIN)
    with pytest.raises(UsageError, match="'any'"):
        SeriesOptions(ls_mask="any")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="0 threads"):
        SeriesOptions(threads=0)
