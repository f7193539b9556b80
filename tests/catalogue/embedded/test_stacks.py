"""Scenes that can be compared: who belongs together, and how far apart they are."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alos2.catalogue.embedded.stacks import orbit_of, stacks
from alos2.errors import BadProduct
from alos2.footprint import FootprintOptions
from alos2.geometry.rings import centroid
from alos2.jobs.ingest import Ingested, ingest
from alos2.jobs.options import IngestOptions
from alos2.naming import SceneId
from alos2.product.recognise import recognise
from alos2.raster.pictures import PictureOptions
from alos2.simulate.orbit import find_orbit
from alos2.types import LonLat
from catalogue.embedded.items import outline, scene_item, utc

PLACE = LonLat(138.6, 35.2)
DAY = datetime(2020, 6, 15, tzinfo=timezone.utc)


def vectors(days: int, aside_deg: float) -> tuple[dict[str, Any], datetime]:
    """State vectors of a pass, turned round the Earth's axis by `aside_deg`."""
    found = find_orbit(
        PLACE.lon_deg,
        PLACE.lat_deg,
        (DAY + timedelta(days=days)).date(),
        off_nadir_deg=28.2,
        look="R",
        pass_direction="A",
    )
    turn = np.radians(aside_deg)
    matrix = np.array(
        [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )
    orbit = found.orbit
    states = np.hstack([orbit.positions_m @ matrix.T, orbit.velocities_m_s @ matrix.T])
    times = [utc(orbit.time(float(t))) for t in orbit.times_s]
    return dict(zip(times, states.tolist(), strict=True)), found.center_time


def scene(
    days: int, *, aside_deg: float | None = 0.0, name: str = "", **more: Any
) -> dict[str, Any]:
    osv, when = vectors(days, aside_deg or 0.0)
    number = SceneId(f"{32743 + 207 * days // 14:05d}", "0690", when.date())
    said = {"sat:orbit_state_vectors": None if aside_deg is None else osv, "alos2:beams": []}
    level = more.get("level", "1.1")
    return scene_item(
        name or f"{number}-FBDR{level}__A",
        scene=number,
        middle=when,
        geometry=outline(*PLACE, width_deg=0.3, tilt_deg=10),
        **{**said, **more},
    )


def test_time_and_perpendicular_baselines() -> None:
    items = [scene(14, aside_deg=0.001), scene(0), scene(42, aside_deg=-0.002)]
    (stack,) = stacks(items)
    assert (stack.path, stack.frame, stack.mode, stack.look) == (128, "0690", "FBD", "R")
    assert stack.off_nadir_deg == 28.2
    first, second, third = stack.members
    assert stack.reference == first.scene
    assert (first.days, first.perpendicular_m) == (0.0, pytest.approx(0.0, abs=1e-3))
    assert second.days == pytest.approx(14, abs=1e-3)
    assert third.days == pytest.approx(42, abs=1e-3)
    # Eastwards a thousandth of a degree is 103 m up there at 33 degrees north; the track goes 10
    # degrees west of north, and right is across the line of sight by the cosine of 28.2 degrees.
    assert second.perpendicular_m == pytest.approx(103 * 0.985 * 0.881, rel=0.04)
    assert third.perpendicular_m == pytest.approx(-2 * second.perpendicular_m, rel=0.02)


def test_a_delivery_without_orbit_has_no_baseline_and_says_so() -> None:
    items = [scene(0, aside_deg=None), scene(14), scene(28)]
    (stack,) = stacks(items)
    without, reference, last = stack.members
    assert reference.scene == stack.reference, "the first that has an orbit"
    assert without.perpendicular_m is None
    assert "no dataset of it holds an orbit" in without.reason
    assert without.days == pytest.approx(-14, abs=1e-3)
    assert last.perpendicular_m == pytest.approx(0.0, abs=1.0)
    said = stack.to_json()["scenes"]
    assert said[0]["perpendicular_m"] is None
    assert said[0]["reason"]
    assert said[2]["reason"] is None
    (blind,) = stacks([scene(0, aside_deg=None), scene(14, aside_deg=None)])
    assert [member.perpendicular_m for member in blind.members] == [None, None]


def test_a_scene_counts_once_whatever_its_datasets() -> None:
    slc = scene(0)
    name = slc["properties"]["alos2:scene"]
    tif = scene(0, aside_deg=None, level="2.1", name=f"{name}-FBDR2.1GUA", off_nadir=None)
    (stack,) = stacks([tif, scene(14), slc])
    first = stack.members[0]
    assert first.datasets == (tif["id"], slc["id"])
    assert first.perpendicular_m == pytest.approx(0.0, abs=1e-3)
    assert stacks([tif, slc]) == []


def test_what_differs_is_not_compared() -> None:
    other = {
        "look": {"look": "L"},
        "mode": {"mode": "FBS"},
        "off-nadir": {"off_nadir": 32.5},
        "off-nadir unknown": {"off_nadir": None},
        "beams": {"alos2:beams": ["F1", "F2"]},
        "frame": {"alos2:frame": "0700"},
        "path": {"alos2:path": 127},
    }
    for what, change in other.items():
        assert stacks([scene(0), scene(14, **change)]) == [], what
    (stack,) = stacks(
        [scene(0, off_nadir=28.2), scene(14, off_nadir=28.6), scene(28, off_nadir=33.0)]
    )
    assert len(stack.members) == 2
    found = stacks([scene(0, **{"alos2:beams": ["F1"]}), scene(14, **{"alos2:beams": ["B1"]})])
    assert found[0].beams == ("1",), "full aperture and burst see the same ground"


def test_vectors_of_others() -> None:
    assert orbit_of(None) is None
    assert orbit_of({}) is None
    for wrong in (
        {"yesterday": [1] * 6},
        {utc(DAY): [1, 2]},
        {utc(DAY): "x"},
        {utc(DAY): [7e6] * 6},
    ):
        with pytest.raises(BadProduct):
            orbit_of(wrong)
    (stack,) = stacks([scene(0), scene(14, **{"sat:orbit_state_vectors": {utc(DAY): [1] * 6}})])
    assert stack.members[1].perpendicular_m is None
    assert "state vectors" in stack.members[1].reason


def test_the_orbit_of_a_real_item_is_the_product_s(deliveries: Any, tmp_path: Path) -> None:
    options = IngestOptions(
        out=tmp_path,
        footprint_options=FootprintOptions(sarcat=False),
        pictures=PictureOptions(max_zoom=0),
    )
    (done,) = ingest(str(deliveries.slc_dir), options)
    assert isinstance(done, Ingested)
    assert done.uncatalogued is None
    assert not (tmp_path / ".alos2-catalogue").exists(), "nobody asked for a catalogue"
    item = json.loads(
        (tmp_path / deliveries.slc_id / f"{deliveries.slc_id}.stac.json").read_bytes()
    )
    found = orbit_of(item["properties"]["sat:orbit_state_vectors"])
    with recognise(deliveries.slc_dir) as recognised:
        truth = recognised.products[0].orbit
    assert found is not None
    assert truth is not None
    when = truth.time(float(truth.times_s.mean()))
    ours, _ = found.interpolate(found.seconds(when))
    theirs, _ = truth.interpolate(truth.seconds(when))
    assert np.abs(ours - theirs).max() < 0.01
    assert centroid(item["geometry"]).lat_deg == pytest.approx(35.2, abs=0.1)
