"""Stacks: one path and frame, changes on their days, other speckle each time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from alos2.errors import UsageError
from alos2.geometry.rangedoppler import geo2rdr
from alos2.naming import SceneId
from alos2.simulate import Change, SimulationSpec, StackSpec, Terrain, simulate_stack
from alos2.simulate import stack as stack_module
from alos2.simulate.changes import Paint
from alos2.simulate.scene import plan
from alos2.simulate.words import parse_change, parse_terrain
from simulate.measure import inside

FLOOD = Change(
    date(2020, 6, 29), (("HH", -8.0), ("HV", -5.0)), until=date(2020, 7, 13), disc=(0.0, 0.0, 330.0)
)
FIRST = SimulationSpec(
    level="2.1", format="geotiff", mode="FBD", pixels=160, lines=160, spacing_m=6.25, seed=11,
    targets=False, changes=(FLOOD,), terrain=Terrain("ridge", 60.0, 3000.0),
)  # fmt: skip


@pytest.fixture(scope="module")
def flood(tmp_path_factory: pytest.TempPathFactory) -> Any:
    out = tmp_path_factory.mktemp("stack") / "flood"
    seen: list[tuple[int, int]] = []
    spec = StackSpec(FIRST, dates=3, baseline_m=150.0)
    result = simulate_stack(spec, out, progress=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    return out, result, json.loads(result.truth_path.read_text(encoding="utf-8"))


def power(result: Any, polarization: str = "HH") -> np.ndarray:
    (path,) = result.product_dir.glob(f"IMG-{polarization}-*.tif")
    with rasterio.open(path) as dataset:
        return dataset.read(1).astype(float) ** 2 * 10.0**-8.3


def test_dates_keep_path_frame_and_grid(flood: Any) -> None:
    out, result, truth = flood
    scenes = [scene.scene for scene in result.scenes]
    assert [s.date for s in scenes] == [date(2020, 6, 15), date(2020, 6, 29), date(2020, 7, 13)]
    assert len({(s.path, s.frame) for s in scenes}) == 1
    assert [int(s.orbit) - int(scenes[0].orbit) for s in scenes] == [0, 207, 414]
    grids = set()
    for scene in result.scenes:
        with rasterio.open(next(scene.product_dir.glob("IMG-HH-*.tif"))) as dataset:
            grids.add((dataset.transform, dataset.shape))
    assert len(grids) == 1
    assert sorted(p.name for p in out.iterdir()) == sorted(
        [
            *(s.product_dir.name for s in result.scenes),
            *(f"{s.product_dir.name}.truth.json" for s in result.scenes),
            "stack-dem.tif",
            "stack.truth.json",
        ]
    )
    assert truth["dates"] == ["2020-06-15", "2020-06-29", "2020-07-13"]
    assert truth["days_of_change"] == ["2020-06-29", "2020-07-13"]
    assert truth["backscatter"] == "gamma0_T"
    assert truth["looks"] == 2.0
    assert [SceneId.parse(s["scene"]) for s in truth["scenes"]] == scenes


def test_the_change_is_seen_on_its_day_and_nowhere_else(flood: Any) -> None:
    _, result, _ = flood
    truths = [json.loads(s.truth_path.read_text(encoding="utf-8")) for s in result.scenes]
    assert [t["changes"][0]["seen"] for t in truths] == [False, True, False]
    x, y = parcel_places(truths[0])
    flooded = np.hypot(x, y) < 320.0
    dry = (np.hypot(x, y) > 340.0) & (power(result.scenes[0]) > 0.0)
    for polarization, change_db in (("HH", -8.0), ("HV", -5.0)):
        before, during, after = (power(s, polarization) for s in result.scenes)
        mean = [10.0 * np.log10(i[flooded].mean()) for i in (before, during, after)]
        # Ten thousand pixels of two looks, of unequal parcels.
        assert mean[1] - mean[0] == pytest.approx(change_db, abs=0.25)
        assert mean[2] - mean[0] == pytest.approx(0.0, abs=0.25)
        rest = [10.0 * np.log10(i[dry].mean()) for i in (before, during, after)]
        assert rest == pytest.approx([rest[0]] * 3, abs=0.25)


def parcel_places(truth: Any) -> Any:
    """Metres east and north of the pixels' places."""
    scene = plan(FIRST)
    assert scene.grid is not None
    rows, columns = np.mgrid[0:160, 0:160]
    return scene.ground.plane.xy(*scene.grid.lonlat(rows, columns))


def test_speckle_is_other_on_each_date_and_of_one_mean(flood: Any) -> None:
    _, result, _ = flood
    before, _, after = (power(s) for s in result.scenes)
    image = json.loads(result.scenes[0].truth_path.read_text(encoding="utf-8"))
    checked = 0
    for patch in image["patches"]:
        mask = inside(patch["inner"][0]["polygon"], before.shape) & (before > 0.0)
        if mask.sum() < 400:
            continue
        first, second = before[mask], after[mask]
        assert abs(np.corrcoef(first, second)[0, 1]) < 5.0 / np.sqrt(mask.sum())
        difference = 10.0 * np.log10(first.mean() / second.mean())
        assert abs(difference) < 5.0 * 4.343 * np.sqrt(2.0 / (2.0 * mask.sum()))
        assert first.mean() ** 2 / first.var() == pytest.approx(2.0, rel=0.25)
        checked += 1
    assert checked >= 3


def test_the_truth_names_each_parcel_on_each_date(flood: Any) -> None:
    _, result, truth = flood
    core = [p for p in truth["parcels"] if max(map(abs, p["box_m"])) <= 200.0]
    assert len(core) == 16
    for parcel in core:
        before, during, after = (parcel["by_date"][day] for day in truth["dates"])
        assert before == after
        if max(np.hypot(x, y) for x in parcel["box_m"][::2] for y in parcel["box_m"][1::2]) < 330:
            assert during == pytest.approx({"HH": before["HH"] - 8.0, "HV": before["HV"] - 5.0})
    partly = [p for p in truth["parcels"] if p["by_date"]["2020-06-29"] is None]
    assert partly
    during = json.loads(result.scenes[1].truth_path.read_text(encoding="utf-8"))
    by_polygon = {str(p["polygon"]): p["by_date"]["2020-06-29"] for p in truth["parcels"]}
    assert all(by_polygon[str(p["polygon"])] == p["now_db"] for p in during["patches"])


def test_orbits_lie_where_the_truth_says(flood: Any) -> None:
    _, result, truth = flood
    first, *others = [plan(replace(FIRST, date=s.scene.date)) for s in result.scenes]
    assert truth["scenes"][0]["perpendicular_baseline_m"] == 0.0
    for scene, said in zip(others, truth["scenes"][1:], strict=True):
        right, up = said["orbit_offset_m"]
        assert 1.0 < abs(right) <= 150.0
        moved = plan(replace(scene.spec, orbit_offset_m=(right, up)))
        # At the closest approach to the centre, in that plane.
        t, _ = geo2rdr(first.orbit, 138.6, 35.2)
        position, velocity = first.orbit.interpolate(float(t))
        here, _ = moved.orbit.interpolate(float(geo2rdr(moved.orbit, 138.6, 35.2)[0]))
        down = -position / np.linalg.norm(position)
        side = np.cross(down, velocity / np.linalg.norm(velocity))
        away = here - position
        assert (away @ side, -(away @ down)) == pytest.approx((right, up), abs=0.05)
        assert said["perpendicular_baseline_m"] == pytest.approx(
            right * np.cos(np.radians(36.6)) + up * np.sin(np.radians(36.6)), abs=1e-3
        )


def test_frames_follow_each_other_and_tracks_lie_side_by_side() -> None:
    spec = replace(FIRST, terrain=None, changes=(), pixels=100, lines=100)
    members = StackSpec(spec, dates=2, frames=2, tracks=2).scenes()
    scenes = [plan(member.spec) for member in members]
    assert [(m.track, m.date_number, m.frame) for m in members] == [
        (t, d, f) for t in (0, 1) for d in (0, 1) for f in (0, 1)
    ]
    (
        first,
        second,
        *_,
    ) = scenes
    ids = [scene.flight.scene for scene in scenes]
    assert int(ids[1].frame) == int(ids[0].frame) + 10
    assert ids[0].orbit == ids[1].orbit
    np.testing.assert_array_equal(first.orbit.positions_m, second.orbit.positions_m)
    length = first.end_s - first.start_s
    assert second.start_s == pytest.approx(first.start_s + 0.9 * length, abs=0.1 * length)
    assert second.start_s < first.end_s
    assert ids[4].path != ids[0].path
    assert ids[4].path == ids[6].path
    assert (ids[4].date - ids[0].date).days == 5
    # All on one ground; the next track is seen from the same side, further out.
    planes = {(s.ground.plane.lon_deg, s.ground.plane.lat_deg) for s in scenes}
    assert planes == {(138.6, 35.2)}
    other = scenes[4]
    lon, lat = (np.mean([c[k] for c in other.data_corners.values()]) for k in (0, 1))
    _, r = geo2rdr(first.orbit, lon, lat)
    width = first.far_range_m - first.near_range_m
    middle = 0.5 * (first.far_range_m + first.near_range_m)
    assert float(r) - middle == pytest.approx(0.7 * width, rel=0.05)


def test_a_stack_of_zips_has_an_order_each(tmp_path: Path) -> None:
    spec = replace(FIRST, zip="auig2", pixels=64, lines=64, terrain=None, changes=())
    result = simulate_stack(StackSpec(spec, dates=2), tmp_path)
    archives = [scene.archive for scene in result.scenes]
    assert len(set(archives)) == 2
    assert all(path is not None and path.is_file() for path in archives)
    assert result.dem_path is None
    with pytest.raises(UsageError, match="is there already"):
        simulate_stack(StackSpec(spec, dates=2), tmp_path)


def test_nothing_half_made_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object) -> None:
        raise RuntimeError("in the end")

    monkeypatch.setattr(stack_module, "stack_truth", fails)
    spec = replace(FIRST, pixels=64, lines=64, terrain=None, changes=())
    with pytest.raises(RuntimeError, match="in the end"):
        simulate_stack(StackSpec(spec, dates=1), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"dates": 0}, "0 dates: 1 to 1000"),
        ({"every_days": 12}, "the path is the same after 14 days only"),
        ({"dates": 500, "frames": 3}, "more than 1000 scenes"),
        ({"baseline_m": -1.0}, "baselines of -1 m"),
        ({"scene": replace(FIRST, frame_step=1)}, "frames of a stack"),
    ],
)
def test_stacks_that_cannot_be(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        StackSpec(**{"scene": FIRST, **given})


def test_a_stack_ends_with_the_leap_seconds_day() -> None:
    with pytest.raises(UsageError, match="borders a leap second"):
        StackSpec(replace(FIRST, date=date(2016, 12, 17)), dates=2).scenes()


@pytest.mark.parametrize("lonlat", [False, True])
def test_regions(lonlat: bool) -> None:
    plane = plan(replace(FIRST, terrain=None)).ground.plane
    corners = np.array([(-100.0, -50.0), (100.0, -50.0), (100.0, 50.0), (0.0, 0.0), (-100.0, 50.0)])
    places = np.stack(plane.lonlat(*corners.T), axis=-1) if lonlat else corners
    change = Change(
        date(2020, 1, 1), 3.0, polygon=tuple(map(tuple, places.tolist())), lonlat=lonlat
    )
    x, y = np.meshgrid(np.arange(-120.5, 120.0, 5.0), np.arange(-70.5, 70.0, 5.0))
    inside_it = change.region(plane)(x, y)
    slow = (np.abs(x) < 100.0) & (y > -50.0) & (y < np.abs(x) * 0.5)
    assert (inside_it == slow).mean() > 0.999
    assert inside_it.any()


def test_changes_of_some_kinds_only() -> None:
    change = Change(date(2020, 1, 1), -6.0, disc=(0.0, 0.0, 1e5), kinds=("field", "forest"))
    scene = plan(replace(FIRST, terrain=None, changes=(change,)))
    table = scene.ground.sigma0_table("HH")
    for parcel in scene.ground.parcels[:16]:
        x = np.array([[parcel.west_m + 10.0]], dtype=np.float32)
        y = np.array([[parcel.south_m + 10.0]], dtype=np.float32)
        found = Paint(scene.ground, table, scene.changes, "HH")(x, y)[0, 0] / table[parcel.number]
        expected = -6.0 if parcel.kind in ("field", "forest") else 0.0
        assert 10.0 * np.log10(found) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "one region"),
        ({"disc": (0.0, 0.0, 0.0)}, "is empty"),
        ({"polygon": ((0.0, 0.0), (1.0, 1.0))}, "of 2 corners"),
        ({"disc": (0.0, float("nan"), 1.0)}, "a number that is none"),
        ({"disc": (0.0, 0.0, 1.0), "until": date(2020, 1, 1)}, "cannot be over"),
        ({"disc": (0.0, 0.0, 1.0), "kinds": ("sea",)}, "kind 'sea' do not exist"),
        ({"disc": (0.0, 0.0, 1.0), "db": (("XX", 1.0),)}, "polarisation 'XX'"),
        ({"disc": (0.0, 0.0, 1.0), "db": float("nan")}, "a change of nan dB"),
        ({"disc": (0.0, 0.0, 1.0), "db": 99.0}, "a change of 99 dB"),
    ],
)
def test_changes_that_cannot_be(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Change(**{"since": date(2020, 1, 1), "db": 1.0, **given})


def test_words() -> None:
    assert parse_terrain("ridge:600,4000,10") == Terrain("ridge", 600.0, 4000.0, 10.0)
    assert parse_terrain("hills:100") == Terrain("hills", 100.0)
    assert parse_terrain("file:a/dem.tif") == Terrain("file", path=Path("a/dem.tif"))
    assert parse_change("2020-06-29/2020-07-13 disc:0,0,330 HH=-8,HV=-5") == FLOOD
    assert parse_change("2020-06-29 polygon@1,2;3,4;5,6 2.5 field,city") == Change(
        date(2020, 6, 29), 2.5, polygon=((1.0, 2.0), (3.0, 4.0), (5.0, 6.0)), lonlat=True,
        kinds=("field", "city"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("parse", "words", "said"),
    [
        (parse_terrain, "ridge:high", "are no numbers"),
        (parse_terrain, "ridge:1,2,3,4", "has 4 numbers"),
        (parse_terrain, "alp:100,1000", "terrain 'alp'"),
        (parse_change, "2020-06-29 disc:0,0,1", "has 2 parts"),
        (parse_change, "June disc:0,0,1 3", "is no day"),
        (parse_change, "2020-06-29 disc:0,0 3", "is no region"),
        (parse_change, "2020-06-29 star:0,0 3", "is no region"),
        (parse_change, "2020-06-29 disc:0,0,1 HH=x", "are no numbers"),
    ],
)
def test_words_that_mean_nothing(parse: Any, words: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse(words)
