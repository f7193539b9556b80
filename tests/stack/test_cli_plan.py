from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner
from PIL import Image
from shapely.geometry import box, mapping

from alos2.cli.main import cli, describe
from alos2.errors import Alos2Error, BadProduct, NoResource, NothingFound, UsageError
from alos2.stack.config.read import checked, config_of
from alos2.stack.picture.drawing import Area, Drawing, Stroke, Words
from alos2.stack.picture.land import land_in
from alos2.stack.picture.plot import draw_plan
from alos2.stack.planning.coverage import cover, warnings_of
from alos2.stack.planning.estimates import estimate
from alos2.stack.planning.foreseen import foreseen, require_dem
from alos2.stack.planning.grids import MOSAIC, STEP, grid_from, grid_json, grids_before, grids_of
from alos2.stack.planning.grouping import tracks_of
from alos2.stack.planning.model import Inventory
from alos2.stack.planning.plan import Plan, make_plan
from alos2.stack.planning.report import plan_lines, write_plan
from alos2.stack.planning.words import share_text, size_text
from stack.planned import Fleet, planned

AREA = mapping(box(138.0, 34.8, 138.6, 35.2))


def run(*words: object) -> Any:
    return CliRunner().invoke(cli, [str(word) for word in words], obj={}, catch_exceptions=True)


def code(done: Any) -> int:
    if isinstance(done.exception, Exception):
        return describe(done.exception)[0]
    return int(done.exit_code)


def plan_of(*scenes: Any, area: Any = None, **said: Any) -> Plan:
    """Return the plan of scenes that nobody took."""
    config = checked(said, "here")
    tracks = tracks_of(scenes)
    grids = grids_of(tracks, area, config)
    coverage = cover(tracks, area)
    warnings = (*warnings_of(tracks, coverage), *foreseen(tracks, config))
    needs = estimate(tracks, grids, coverage, config)
    return Plan(config, tracks, area, grids, warnings, (), coverage, needs)


# Grids.


def inside(outer: Any, inner: Any) -> tuple[float, float]:
    """Return where a grid begins in another one, in pixels."""
    spacing = outer.transform[0]
    assert inner.transform[0] == spacing
    assert inner.crs_wkt == outer.crs_wkt
    x = (inner.transform[2] - outer.transform[2]) / spacing
    y = (outer.transform[5] - inner.transform[5]) / spacing
    assert x >= 0
    assert y >= 0
    assert x + inner.shape.pixels <= outer.shape.pixels
    assert y + inner.shape.lines <= outer.shape.lines
    return x, y


def test_grids_of_tracks_are_windows_of_the_mosaics() -> None:
    scenes = [planned(0), planned(1), planned(2, path=127, at=(138.5, 35.1))]
    plan = plan_of(*scenes)
    assert len(plan.grids) == 3
    for track in plan.tracks:
        x, y = inside(plan.grids[MOSAIC], plan.grids[track.name])
        assert x == int(x)
        assert y == int(y)
        a, _, c, _, e, f = plan.grids[track.name].transform
        assert (a, e) == (25.0, -25.0)
        assert c % (25.0 * STEP) == f % (25.0 * STEP) == 0


def test_a_date_some_hundred_metres_aside_moves_no_grid() -> None:
    first = plan_of(planned(0), planned(1))
    (name,) = (track.name for track in first.tracks)
    later = planned(2, aside=(0.004, -0.003))
    config = first.config
    before = grids_before(first.to_json(), config, None)
    assert before is not None
    kept = grids_of(tracks_of([planned(0), planned(1), later]), None, config, before)
    assert kept[name] == first.grids[name]
    # Even if it does reach beyond: then the grid grows, and what was there lies on whole pixels.
    far = grids_of(tracks_of([planned(0), planned(2, aside=(0.2, 0.2))]), None, config, before)
    assert far[name] != first.grids[name]
    x, y = inside(far[name], first.grids[name])
    assert x == int(x)
    assert y == int(y)
    # By other rules it is laid anew.
    coarse = checked({"single_ARD": {"resolution": 50.0}}, "here")
    assert grids_before(first.to_json(), coarse, None) is None
    assert grids_before(first.to_json(), config, AREA) is None
    for damaged in (None, [], {}, {"config": 3}, {**first.to_json(), "tracks": [{}]}):
        assert grids_before(damaged, config, None) is None


def test_the_area_ends_the_grids() -> None:
    cut, uncut = plan_of(planned(0), area=AREA), plan_of(planned(0))
    (name,) = (track.name for track in cut.tracks)
    assert cut.grids[name].shape.pixels < 0.6 * uncut.grids[name].shape.pixels
    assert plan_of(planned(0), area=AREA, stack={"cut_to_area": False}).grids == uncut.grids
    point = {"type": "Point", "coordinates": [138.0, 35.0]}
    assert plan_of(planned(0), area=point).grids == uncut.grids


def test_other_coordinate_systems() -> None:
    plan = plan_of(planned(0), stack={"crs": "EPSG:4326"}, single_ARD={"resolution": 0.00025})
    grid = plan.grids[MOSAIC]
    assert grid.epsg == 4326
    assert grid.transform[0] == 0.00025
    own = "+proj=laea +lat_0=35 +lon_0=138 +datum=WGS84"
    assert plan_of(planned(0), stack={"crs": own}).grids[MOSAIC].epsg is None


def test_grids_are_written_and_read(tmp_path: Path) -> None:
    for said in ({}, {"crs": "+proj=laea +lat_0=35 +lon_0=138 +datum=WGS84"}):
        grid = plan_of(planned(0), stack=said).grids[MOSAIC]
        again = grid_from(json.loads(json.dumps(grid_json(grid))))
        assert replace(again, crs_wkt="") == replace(grid, crs_wkt="")


# What is foreseen.


def codes(plan: Plan) -> list[str]:
    return [warning.code for warning in plan.warnings]


@pytest.fixture(scope="module")
def dem_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("dem") / "dem.tif"
    with rasterio.open(
        file, "w", driver="GTiff", width=4, height=4, count=1, dtype="float32", crs="EPSG:4979",
        transform=rasterio.Affine(1.0, 0.0, 136.0, 0.0, -1.0, 37.0),
    ) as dem:  # fmt: skip
        dem.write(np.zeros((1, 4, 4), "float32"))
    return file


def test_orbits_and_dems_that_are_missing(dem_file: Path) -> None:
    tif, ceos = planned(0), planned(1, form="ceos", **{"sat:orbit_state_vectors": {"t": [1.0] * 6}})
    dem = {"dem": {"path": dem_file}}
    assert codes(plan_of(tif, planned(1))) == ["no_orbit", "no_dem"]
    plan = plan_of(tif, ceos, single_ARD=dem)
    assert codes(plan) == ["no_orbit"]
    assert "1 of 2 scenes" in plan.warnings[0].message
    assert "the others by area" in plan.warnings[0].message
    assert codes(plan_of(tif, ceos, single_ARD={**dem, "flattening": "angular"})) == []
    assert codes(plan_of(tif, planned(1), single_ARD={"product_type": "GTC-gamma0"})) == []
    slc = [planned(n, level="1.1", form="ceos") for n in range(2)]
    plan = plan_of(*slc, single_ARD={"product_type": "GTC-gamma0"})
    assert codes(plan) == ["no_dem"]
    assert "0 m above the ellipsoid" in plan.warnings[0].message


@pytest.mark.parametrize(
    ("dem", "fault", "message"),
    [
        ({"path": "gone.tif"}, NothingFound, "there is no DEM"),
        ({"path": "picture.png"}, BadProduct, "no coordinate reference system"),
        ({"path": "flat.tif"}, UsageError, r"\[single_ARD.dem\]"),
        ({"path": "flat.tif", "heights": "egm69"}, UsageError, "egm69"),
        ({}, UsageError, "needs a digital elevation model"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_dem_of_no_use_is_told_before_anything_runs(
    tmp_path: Path, dem_file: Path, dem: dict[str, Any], fault: type[Alos2Error], message: str
) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "picture.png")
    with rasterio.open(dem_file) as good:
        said = {**good.profile, "crs": "EPSG:4326"}
    rasterio.open(tmp_path / "flat.tif", "w", **said).close()
    given = {**dem, "path": tmp_path / dem["path"]} if dem else {}
    ceos = planned(form="ceos", **{"sat:orbit_state_vectors": {"t": [1.0] * 6}})
    plan = plan_of(ceos, single_ARD={"dem": given})
    assert codes(plan) == ["single_date", "unusable_dem" if dem else "no_dem"]
    with pytest.raises(fault) as caught:
        require_dem(plan.tracks, plan.config)
    assert re.search(message, f"{caught.value.message} {caught.value.hint}")


def test_levels_that_do_not_go_together(dem_file: Path) -> None:
    quiet = {"single_ARD": {"product_type": "GTC-gamma0", "dem": {"path": dem_file}}}
    mixed = plan_of(planned(0), planned(1, level="1.5"), **quiet)
    assert codes(mixed) == ["mixed_levels"]
    spacing = "sar:pixel_spacing_range"
    two = plan_of(planned(0, **{spacing: 6.25}), planned(1, **{spacing: 10.0}), **quiet)
    assert codes(two) == ["mixed_processing"]
    assert codes(plan_of(planned(0, off_nadir=None), planned(1, off_nadir=None), **quiet)) == [
        "unknown_off_nadir"
    ]
    beams = {"alos2:beams": ["F1", "F2"]}
    slc = [planned(n, mode="WBD", level="1.1", form="ceos", **beams) for n in range(2)]
    tif = [planned(n, mode="WBD") for n in (2, 3)]
    assert codes(plan_of(*slc, *tif, **quiet)) == ["split_by_level"]


def test_estimates_count_pixels() -> None:
    plan = plan_of(planned(0), planned(1))
    needs = plan.estimates
    pixels = (0.6 * 111_000) * (0.6 * 91_000) / 625  # 0.6 degrees at 35 degrees north
    assert (needs.acquisitions, needs.scenes) == (2, 2)
    # Two dates of two polarisations of 4 bytes, of which a tenth is saved; overviews add a third.
    series = 2 * 2 * 4 * 0.9 * 4 / 3 * pixels
    assert needs.disk_bytes["series"] == pytest.approx(series, rel=0.03)
    assert needs.disk_bytes["mosaic"] == 0
    small = plan_of(planned(0), planned(1), **{"time-series_ARD": {"dtype_output": "uint8"}})
    assert small.estimates.disk_bytes["series"] < 0.3 * needs.disk_bytes["series"]
    one = plan_of(planned(0), planned(1), single_ARD={"polarisation": ["HH"]})
    assert one.estimates.disk_bytes["series"] == pytest.approx(series / 2, rel=0.03)
    # The machine's free memory is not part of the plan, a given one is.
    assert needs.memory_mb >= 512
    assert needs.to_json()["memory_mb"] is None
    assert plan_of(planned(0), stack={"memory_mb": 999}).estimates.to_json()["memory_mb"] == 999


# The picture.


def test_the_picture_is_the_same_twice_and_whole(tmp_path: Path) -> None:
    scenes = [planned(n, f) for n in range(3) for f in (680, 690) if (n, f) != (1, 690)]
    plan = plan_of(*scenes, planned(1, path=127, at=(138.5, 35.1)), area=AREA)
    drawing = draw_plan(plan)
    assert drawing.svg() == draw_plan(plan).svg()
    root = ET.fromstring(drawing.svg())
    text = " ".join(node.text or "" for node in root.iter())
    for words in ("2 tracks, 4 acquisitions", "P126_F0680-0690_FBD_28.6_R_A", "138.5°E", "km",
                  "area of interest", "126 / 0680"):  # fmt: skip
        assert words in text, words
    # Nothing is fetched by whoever shows it.
    assert not [n for n in root.iter() if n.tag.endswith(("image", "use", "script"))]
    assert drawing.svg().count("http") == 1


@pytest.mark.parametrize("at", [(180.0, -17.0), (0.0, 89.5), (25.0, 78.0), (-150.0, -75.0)])
def test_pictures_of_anywhere(at: tuple[float, float]) -> None:
    drawing = draw_plan(plan_of(planned(0, at=at), planned(1, at=at)))
    for shape in drawing.shapes:
        points = (
            [p for ring in shape.rings for p in ring] if isinstance(shape, Area)
            else shape.points if isinstance(shape, Stroke) else [shape.at]
        )  # fmt: skip
        assert np.isfinite(points).all()
        for x, y in points:
            assert -50 <= x <= drawing.width + 50
            assert -50 <= y <= drawing.height + 50


def test_shapes_are_painted_where_they_are_drawn() -> None:
    drawing = Drawing(60, 40)
    square = (((10, 10), (30, 10), (30, 30), (10, 30)), ((15, 15), (25, 15), (25, 25), (15, 25)))
    drawing.add(
        Area(square, "#ff0000"),
        Area((((40, 10), (50, 10), (50, 30), (40, 30)),), "#0000ff", 0.5),
        Stroke(((0, 35), (60, 35)), "#000000", 2.0, dash=(10.0, 10.0)),
        Words((30, 5), "Ä", 8),
    )
    pixels = np.array(Image.open(io.BytesIO(drawing.png())))
    assert drawing.png() == drawing.png()
    assert pixels.shape == (80, 120, 3)
    assert tuple(pixels[24, 24]) == (255, 0, 0)
    assert tuple(pixels[40, 40]) == (255, 255, 255)  # the hole
    assert tuple(pixels[40, 90]) == pytest.approx((127, 127, 255), abs=1)
    assert tuple(pixels[70, 10]) == (0, 0, 0)
    assert tuple(pixels[70, 30]) == (255, 255, 255)  # between two dashes
    assert pixels[4:16, 55:66].min() < 128  # the letter


def test_land_is_where_it_is() -> None:
    japan = land_in([(138.0, 35.5, 139.0, 36.5)])
    assert japan.area == pytest.approx(1.0, abs=0.01)
    assert land_in([(150.0, 20.0, 151.0, 21.0)]).is_empty
    assert not land_in([(-180.0, -90.0, 180.0, -85.0)]).is_empty


# The command.


def test_plan_of_folders(fleet: Fleet, tmp_path: Path) -> None:
    work = tmp_path / "work"
    place = ("--bbox", 138.0, 34.9, 139.0, 36.0)
    done = run("stack", "plan", fleet.folder, *place, "--work-dir", work)
    assert done.exit_code == 0, done.output
    for words in ("P127_F0690-0700_FBD_36.6_R_A", "2019-09-18", "without frame 0700",
                  "needs a DEM", "not used (1)", "disk, about"):  # fmt: skip
        assert words in done.stdout, words
    assert sorted(p.name for p in work.iterdir()) == ["plan.json", "plan.png", "plan.svg"]
    plan = json.loads((work / "plan.json").read_text("utf-8"))
    (track,) = plan["tracks"]
    assert track["frames"] == ["0690", "0700"]
    assert [one["frames"] for one in track["acquisitions"]] == [
        ["0690", "0700"], ["0690"], ["0690", "0700"],
    ]  # fmt: skip
    assert 0.4 < track["acquisitions"][1]["covers"] < 0.7
    # The scene that is there as level 1.1 too lends its leader.
    leaders = [s["leader"] for one in track["acquisitions"] for s in one["scenes"]]
    assert [leader is not None for leader in leaders] == [True, False, False, False, False]
    with Image.open(work / "plan.png") as picture:
        size = ET.parse(work / "plan.svg").getroot().attrib
        assert picture.size == (2 * int(size["width"]), 2 * int(size["height"]))
    # Again it is the same plan; without pictures they stay while they are true.
    before = {p.name: p.read_bytes() for p in work.iterdir()}
    done = run("stack", "plan", fleet.folder, *place, "--work-dir", work, "--no-plot", "--json")
    said = json.loads(done.stdout)
    assert said.pop("files") == [str(work / "plan.json")]
    assert said == plan
    assert {p.name: p.read_bytes() for p in work.iterdir()} == before
    done = run("stack", "plan", fleet.folder, "--work-dir", work, "--no-plot")
    assert sorted(p.name for p in work.iterdir()) == ["plan.json"]


def test_plan_of_an_archive_and_of_a_configuration(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("stack", "plan", "--archive", fleet.archive, "--date", "2019-09-10/..", "--no-plot")
    assert done.exit_code == 0, done.output
    assert "2019-09-04" not in done.stdout
    assert (tmp_path / "stack" / "plan.json").is_file()
    # As the environment names it, and by a file.
    monkeypatch.setenv("ALOS2_ARCHIVE", str(fleet.archive))
    by_level = ("--level", "1.1-ceos", "--off-nadir", "36.4", "--pass", "asc", "--look", "right")
    done = run("stack", "plan", *by_level, "--no-plot", "--json")
    said = json.loads(done.stdout)
    assert [s["level"] for t in said["tracks"] for o in t["acquisitions"] for s in o["scenes"]] == [
        "1.1"
    ]
    assert {one["code"] for one in said["left_out"]} == {"other_level"}
    monkeypatch.delenv("ALOS2_ARCHIVE")
    file = tmp_path / "conf" / "my.yaml"
    done = run(
        "stack", "init", file, "--folder", fleet.folder, "--pol", "hv", "--frame", "690",
        "--set", "time-series_ARD.dtype_output=uint8", "--set", "time-scan_ARD.metrics=['avg']",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(file)
    done = run("stack", "plan", file, "--no-plot", "--json", "--resolution", 100)
    said = json.loads(done.stdout)
    assert said["config"]["time-series_ARD"]["dtype_output"] == "uint8"
    assert said["config"]["single_ARD"]["resolution"] == 100.0
    assert said["tracks"][0]["frames"] == ["0690"]
    assert (tmp_path / "conf" / "stack" / "plan.json").is_file()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("nowhere",), 6),
        (("FOLDER", "--date", "2015-01-01"), 6),
        (("FOLDER", "--level", "3.1"), 6),
        (("FOLDER", "--set", "single_ARD.polarisation=['VV']"), 6),
        ((), 6),
        (("none.toml",), 2),
        (("bad.toml",), 2),
        (("bad.toml", "FOLDER"), 2),
        (("FOLDER", "--off-nadir", "steep"), 2),
        (("FOLDER", "--set", "resolution=3"), 2),
        (("FOLDER", "--set", "single_ARD.outResolution=3"), 2),
        (("FOLDER", "--bbox", "1,2,3,4", "--area", "POINT (1 2)"), 2),
        (("FOLDER", "--mode", "nosuch"), 2),
        (("FOLDER", "--set", "stack.crs='EPSG:0'"), 2),
    ],
)
def test_exit_codes(
    fleet: Fleet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    expected: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.toml").write_text("[single_ARD]\nresolution = 0", "utf-8")
    done = run("stack", "plan", *(fleet.folder if word == "FOLDER" else word for word in words))
    assert code(done) == expected, done.output
    # Nothing half-made is left.
    assert [p.name for p in tmp_path.iterdir()] == ["bad.toml"]


def test_dates_without_common_ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    joining = [planned(2, frame) for frame in (680, 690, 700)]
    lone = [planned(0, 680), planned(1, 700)]
    monkeypatch.setattr(
        "alos2.stack.planning.plan.take_inventory",
        lambda config, tell: Inventory([*joining, *lone, planned(3, path=127, at=(139.0, 35.0))]),
    )
    said = {"stack": {"extent": "intersection"}}
    plan = make_plan(config_of(said, "here", tmp_path))
    assert [track.path for track in plan.tracks] == [127]
    (left,) = plan.left_out
    assert left.code == "no_common_extent"
    assert "20200615, 20200629, 20200713 have no ground in common" in left.message
    assert len(make_plan(config_of({}, "here", tmp_path)).tracks) == 2
    monkeypatch.setattr(
        "alos2.stack.planning.plan.take_inventory",
        lambda config, tell: Inventory([*joining, *lone]),
    )
    with pytest.raises(NothingFound, match="have no ground in common"):
        make_plan(config_of(said, "here", tmp_path))


def test_flattened_gamma_is_no_sigma(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = [planned(0, level="2.2", mode="WBD"), planned(1, level="1.5", mode="WBD")]
    monkeypatch.setattr(
        "alos2.stack.planning.plan.take_inventory", lambda config, tell: Inventory(scenes)
    )
    sigma = {"single_ARD": {"product_type": "GTC-sigma0"}}
    plan = make_plan(config_of(sigma, "here", tmp_path))
    assert [scene.level for track in plan.tracks for scene in track.scenes] == ["1.5"]
    assert plan.left_out[0].code == "other_level"
    assert len(make_plan(config_of({}, "here", tmp_path)).tracks[0].scenes) == 2


def test_a_plan_is_told_in_lines() -> None:
    plan = plan_of(*(planned(n, f) for n in range(2) for f in (680, 690)), area=AREA)
    lines = list(plan_lines(plan))
    assert lines[0].split() == [
        "TRACK",
        "DATES",
        "POL",
        "LEVEL",
        "PASS",
        "LOOK",
        "OF",
        "AREA",
        "GRID",
    ]
    assert all(line == line.rstrip() for line in lines)
    assert plan.track(plan.tracks[0].name) is plan.tracks[0]
    with pytest.raises(NothingFound, match="there is no track"):
        plan.track("x")


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("")
    with pytest.raises(NoResource, match="cannot be written"):
        write_plan(plan_of(planned(0)), tmp_path / "work", plot=False)
    assert (tmp_path / "work").read_text() == ""


def test_words() -> None:
    shares = [share_text(v) for v in (0.0, 0.001, 0.5, 0.9991, 0.9996, 1.0)]
    assert shares == ["0 %", "0.1 %", "50 %", "99.9 %", "100 %", "100 %"]
    sizes = [size_text(v) for v in (0, 999, 1500, 25_000_000, 3.2e9, 5e13)]
    assert sizes == ["0 B", "999 B", "1.5 kB", "25 MB", "3.2 GB", "50.0 TB"]
