from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from alos2.stack.planning.choosing import choose, overlap, rank
from alos2.stack.planning.grouping import north_first, touch, tracks_of
from alos2.stack.planning.model import PlannedScene
from stack.planned import later, planned

LEVELS = ("2.1", "1.1", "1.5")


def test_frames_of_one_pass_are_joined() -> None:
    scenes = [planned(n, frame) for n in range(3) for frame in (680, 690)]
    for order in (scenes, scenes[::-1]):
        (track,) = tracks_of(order)
        assert track.name == "P126_F0680-0690_FBD_28.6_R_A"
        assert track.frames == ("0680", "0690")
        assert [one.name for one in track.acquisitions] == ["20200615", "20200629", "20200713"]
        assert [one.frames for one in track.acquisitions] == [("0680", "0690")] * 3
        assert len(track.scenes) == 6
        assert track.acquisitions[0].geometry["type"] == "Polygon"
        assert track.acquisitions[0].when == scenes[0].when


def test_a_date_without_a_frame_belongs_to_the_track_all_the_same() -> None:
    scenes = [planned(0, 680), planned(0, 690), planned(1, 690), planned(2, 680), planned(2, 690)]
    (track,) = tracks_of(scenes)
    assert [one.frames for one in track.acquisitions] == [
        ("0680", "0690"), ("0690",), ("0680", "0690"),
    ]  # fmt: skip


def test_frames_hang_together_by_way_of_others() -> None:
    # 0680 and 0700 were never neighbours in one pass, nor seen one after the other without 0690.
    scenes = [planned(0, 680), planned(0, 690), planned(1, 690), planned(1, 700), planned(2, 700)]
    (track,) = tracks_of(scenes)
    assert track.name == "P126_F0680-0700_FBD_28.6_R_A"
    assert track.frames == ("0680", "0690", "0700")


def test_frames_that_do_not_touch_are_tracks_of_their_own() -> None:
    apart = [planned(0, 680), planned(0, 710)]
    assert not touch(*apart)
    assert [t.frames for t in tracks_of(apart)] == [("0680",), ("0710",)]
    # As near, and taken a minute later: not one after the other.
    assert touch(planned(0, 680), planned(0, 690))
    assert not touch(planned(0, 680), planned(0, 690, later_s=60.0))
    assert not touch(planned(0, 680), planned(1, 690))


@pytest.mark.parametrize(
    "other",
    [
        {"path": 127},
        {"mode": "HBD"},
        {"look": "L"},
        {"direction": "D"},
        {"off_nadir": 36.6},
        {"off_nadir": None},
        {"pols": ("HH",)},
        {"pols": ("VV", "VH")},
        {"frame": 700},
    ],
)
def test_what_cannot_be_compared_is_never_mixed(other: dict[str, Any]) -> None:
    scenes = [planned(0), planned(1), planned(2, **other), planned(3, **other)]
    for order in permutations(scenes):
        tracks = tracks_of(order)
        assert len(tracks) == 2
        assert len({track.name for track in tracks}) == 2
        assert sorted(len(track.acquisitions) for track in tracks) == [2, 2]


def scansar(number: int, *beams: str) -> PlannedScene:
    said = {"alos2:beams": list(beams)}
    return planned(number, mode="WBD", level="1.1", form="ceos", **said)


def test_beams_of_scansar_tell_tracks_apart() -> None:
    beams = [scansar(n, f"{letter}1", f"{letter}2") for n, letter in enumerate("FB")]
    other = scansar(2, "F3")
    first, second = tracks_of([*beams, other])
    # Full aperture and burst see the same ground.
    assert (first.name, second.name) == ("P126_F0680_WBD_B12_R_A", "P126_F0680_WBD_B3_R_A")
    assert len(first.acquisitions) == 2


def test_beam_numbers_tell_apart_what_has_no_angle() -> None:
    scenes = [
        planned(n, mode="WBD", level="2.2", off_nadir=None, **{"sar:beam_ids": [str(2 + n % 2)]})
        for n in range(4)
    ]
    assert [t.name for t in tracks_of(scenes)] == [
        "P126_F0680_WBD_B2_R_A", "P126_F0680_WBD_B3_R_A",
    ]  # fmt: skip


def test_names_say_unusual_polarisations_and_unknown_angles() -> None:
    assert tracks_of([planned(pols=("VV", "VH"))])[0].name.endswith("_R_A_VVVH")
    assert tracks_of([planned(pols=("HH",))])[0].name.endswith("_R_A_HH")
    assert tracks_of([planned(mode="FBS", pols=("HH",))])[0].name == "P126_F0680_FBS_28.6_R_A"
    assert tracks_of([planned(off_nadir=None)])[0].name == "P126_F0680_FBD_x_R_A"


def test_a_later_date_changes_no_name() -> None:
    before = tracks_of([planned(0, off_nadir=28.6), planned(1, off_nadir=28.4)])
    after = tracks_of([planned(2, off_nadir=28.2), planned(0, off_nadir=28.6), planned(1)])
    assert before[0].name == after[0].name == "P126_F0680_FBD_28.6_R_A"


def test_two_passes_of_a_day_have_names_of_their_own() -> None:
    other = planned(1)
    (track,) = tracks_of([planned(0), later(other, -14 * 86400 + 600), planned(2)])
    assert [one.name for one in track.acquisitions] == [
        "20200615T030000", "20200615T031000", "20200713",
    ]  # fmt: skip


def test_tracks_are_listed_from_the_north() -> None:
    tracks = tracks_of([planned(0, 680), planned(0, 710), planned(0, 740)])
    assert [t.frames[0] for t in north_first(tracks)] == ["0740", "0710", "0680"]


def test_scenes_at_the_antimeridian_touch() -> None:
    here, there = planned(0, 680, at=(179.9, -17.0)), planned(0, 690, at=(-179.95, -17.0))
    assert here.geometry["type"] == "MultiPolygon"
    assert touch(here, there)
    (track,) = tracks_of([here, there])
    assert track.acquisitions[0].geometry["type"] == "MultiPolygon"


# Which delivery of a scene is taken.


def test_levels_are_chosen_in_their_order() -> None:
    slc = planned(level="1.1", form="ceos")
    tif, ceos = planned(), planned(form="ceos", where="/ceos")
    for levels, taken in (
        (("2.1", "1.1"), ceos),
        (("1.1", "2.1"), slc),
        (("2.1-geotiff", "1.1"), tif),
    ):
        choice = choose([slc, tif, ceos], levels)
        (chosen,) = choice.scenes
        assert (chosen.product, chosen.format) == (taken.product, taken.format), levels
        assert {one.code for one in choice.left_out} <= {"same_scene", "other_level"}
        assert len(choice.left_out) == 2
        assert all(chosen.product in one.message or "not among" in one.message
                   for one in choice.left_out)  # fmt: skip
    assert rank(slc, ("2.1-geotiff",)) is None
    assert choose([slc], ("2.1",)).left_out[0].code == "other_level"


def test_of_copies_the_one_processed_last_is_taken() -> None:
    old = planned(where="/old", **{"alos2:processed": "2020-07-01T00:00:00Z"})
    new = planned(where="/new", **{"alos2:processed": "2021-07-01T00:00:00Z"})
    for order in ((old, new), (new, old)):
        choice = choose(order, LEVELS)
        assert choice.scenes == (new,)
        (left,) = choice.left_out
        assert left.code == "same_scene"
        assert left.path == old.path
        assert "processed 2020-07-01" in left.message
        assert str(new.path) in left.message


def test_a_ceos_delivery_lends_its_leader_and_angle() -> None:
    slc = planned(level="1.1", form="ceos", off_nadir=28.6)
    tif = planned(off_nadir=None)
    (chosen,) = choose([tif, slc], LEVELS).scenes
    assert chosen.format == "geotiff"
    assert chosen.leader == slc.path / slc.files[0]
    assert chosen.said("view:off_nadir") == 28.6
    assert chosen.has_orbit
    assert not tif.has_orbit


def test_scenes_of_one_pass_that_show_the_same_ground() -> None:
    one = planned(0, 680)
    shifted = planned(0, 681, aside=(0.0, -0.03))
    assert overlap(one, shifted) == pytest.approx(0.967, abs=0.01)
    choice = choose([shifted, one], LEVELS)
    assert choice.scenes == (one,)
    assert choice.left_out[0].code == "near_duplicate"
    (warning,) = choice.warnings
    assert warning.code == "near_duplicate_scene"
    assert warning.scenes == (one.scene, shifted.scene)
    # Half of the ground is another frame's: both are used.
    assert len(choose([one, planned(0, 685)], LEVELS).scenes) == 2
    # The same ground at another date is what a stack is made of.
    assert len(choose([one, planned(1, 681, aside=(0.0, -0.03))], LEVELS).scenes) == 2


def test_span_without_times_is_long_enough() -> None:
    assert touch(planned(0, 680, lasts_s=0.0), planned(0, 690, lasts_s=0.0))
    assert planned(0).when + timedelta(days=14) == planned(1).when
