"""Dates are paired by time: each once, within the window, the same in whatever order they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alos2.errors import UsageError
from alos2.mosaic import pair_dates, pair_name


def day(number: float) -> datetime:
    return datetime(2020, 6, 1, tzinfo=timezone.utc) + timedelta(days=number)


tracks_of_days = st.dictionaries(
    st.sampled_from(["P001", "P002", "P003", "P004"]),
    st.lists(st.integers(0, 80), unique=True, max_size=7),
    min_size=1,
)


def as_dates(days: Mapping[str, Sequence[int]]) -> dict[str, list[datetime]]:
    return {track: [day(n) for n in numbers] for track, numbers in days.items()}


@given(tracks_of_days, st.integers(0, 20))
def test_each_acquisition_is_used_once_and_all_are_within_the_window(
    days: dict[str, list[int]], window: int
) -> None:
    tracks = as_dates(days)
    pairs = pair_dates(tracks, window)
    used = sorted((track, when) for pair in pairs for track, when in pair.items())
    assert used == sorted((track, when) for track, times in tracks.items() for when in times)
    for pair in pairs:
        assert max(pair.values()) - min(pair.values()) <= timedelta(days=window)
        assert list(pair) == sorted(pair)
    firsts = [min(pair.values()) for pair in pairs]
    assert firsts == sorted(firsts)


@given(tracks_of_days, st.integers(0, 20))
def test_no_two_mosaics_could_have_been_one(days: dict[str, list[int]], window: int) -> None:
    pairs = pair_dates(as_dates(days), window)
    for one, other in combinations(pairs, 2):
        both = [*one.values(), *other.values()]
        assert one.keys() & other.keys() or max(both) - min(both) > timedelta(days=window)


@given(tracks_of_days, st.integers(0, 20), st.randoms())
def test_the_order_of_tracks_and_times_changes_nothing(
    days: dict[str, list[int]], window: int, random: object
) -> None:
    tracks = as_dates(days)
    turned = {track: tracks[track][::-1] for track in reversed(list(tracks))}
    assert pair_dates(tracks, window) == pair_dates(turned, window)


@given(tracks_of_days, st.integers(0, 20))
def test_incomplete_ones_can_be_left_out(days: dict[str, list[int]], window: int) -> None:
    tracks = as_dates(days)
    whole = pair_dates(tracks, window, incomplete=False)
    every = pair_dates(tracks, window)
    assert whole == [pair for pair in every if pair.keys() == tracks.keys()]


def test_unequal_lists_are_not_paired_by_position() -> None:
    tracks = {"A": [day(0), day(14), day(28), day(42)], "B": [day(15), day(43)]}
    assert pair_dates(tracks, 3) == [
        {"A": day(0)},
        {"A": day(14), "B": day(15)},
        {"A": day(28)},
        {"A": day(42), "B": day(43)},
    ]


def test_the_nearest_is_taken_not_the_first() -> None:
    tracks = {"A": [day(10)], "B": [day(4), day(9)]}
    assert pair_dates(tracks, 7) == [{"B": day(4)}, {"A": day(10), "B": day(9)}]


def test_half_way_between_the_earlier_is_taken() -> None:
    tracks = {"A": [day(0), day(14)], "B": [day(7), day(21)]}
    assert pair_dates(tracks, 7) == [{"A": day(0), "B": day(7)}, {"A": day(14), "B": day(21)}]


def test_three_tracks_lie_within_one_window_of_each_other() -> None:
    tracks = {"A": [day(0)], "B": [day(4)], "C": [day(8)]}
    assert pair_dates(tracks, 5) == [{"A": day(0), "B": day(4)}, {"C": day(8)}]
    assert pair_dates(tracks, 8) == [{"A": day(0), "B": day(4), "C": day(8)}]


def test_a_mosaic_is_named_by_its_dates() -> None:
    assert pair_name({"A": day(0)}) == "20200601"
    assert pair_name({"A": day(3.2), "B": day(0.5)}) == "20200601-20200604"
    assert pair_name({"A": day(0.2), "B": day(0.5)}) == "20200601"


@pytest.mark.parametrize(
    ("tracks", "window", "said"),
    [
        ({"A": [day(1), day(1)]}, 3, "track A has the acquisition of 2020-06-02 .* twice"),
        ({"A": [day(1)], "B": [datetime(2020, 6, 2)]}, 3, "time zone"),  # noqa: DTZ001
        ({"A": [day(1)]}, -1, "a window of -1 days"),
        ({"A": [day(1)]}, float("nan"), "a window of nan days"),
    ],
)
def test_what_cannot_be_paired_is_said(
    tracks: dict[str, list[datetime]], window: float, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        pair_dates(tracks, window)
