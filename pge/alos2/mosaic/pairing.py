"""Which acquisitions of several tracks become one mosaic: by their times, never by position.

Tracks of one area are imaged on different days, and some of them miss a date. The two acquisitions
of different tracks that lie nearest in time are brought together first, then the next nearest, and
so on, as long as any two acquisitions of a mosaic lie within the window and no track is in it twice
(agglomerative clustering with complete linkage). Each acquisition is in exactly one mosaic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import combinations

from alos2.errors import UsageError


def pair_dates(
    tracks: Mapping[str, Sequence[datetime]], window_days: float, *, incomplete: bool = True
) -> list[dict[str, datetime]]:
    """Bring the acquisitions of several tracks together into mosaics.

    Parameters
    ----------
    tracks
        Times of the acquisitions of each track, in any order, all with a time zone or all without.
    window_days
        Any two acquisitions of a mosaic are at most this far apart, days of 24 hours.
    incomplete
        Whether acquisitions that meet none of some track become mosaics of what is there;
        otherwise they are left out.

    Returns
    -------
    list of dict
        By the first time of each mosaic: the acquisition of each track in it, tracks in the order
        of their names. The order in which `tracks` lists them changes nothing.

    Raises
    ------
    UsageError
        A track has one time twice, times with and without zone are mixed, or the window is
        negative or no number.
    """
    if not window_days >= 0:
        raise UsageError(f"a window of {window_days} days cannot pair the dates of tracks")
    window = timedelta(days=min(window_days, 1e6))
    all_of = _acquisitions(tracks)
    groups = [{track: when} for when, track in all_of]
    group_of = list(range(len(all_of)))
    for first, second in _nearest_first(all_of, window):
        one, other = group_of[first], group_of[second]
        if one == other or groups[one].keys() & groups[other].keys():
            continue
        together = groups[one] | groups[other]
        if max(together.values()) - min(together.values()) > window:
            continue
        groups[one], groups[other] = together, {}
        group_of = [one if group == other else group for group in group_of]
    made = [
        dict(sorted(group.items()))
        for group in groups
        if group and (incomplete or group.keys() == tracks.keys())
    ]
    return sorted(made, key=lambda group: (min(group.values()), list(group.items())))


def _acquisitions(tracks: Mapping[str, Sequence[datetime]]) -> list[tuple[datetime, str]]:
    """Return all acquisitions by time, then track."""
    for track, times in tracks.items():
        twice = sorted({str(when) for when in times if list(times).count(when) > 1})
        if twice:
            raise UsageError(f"track {track} has the acquisition of {twice[0]} twice")
    try:
        return sorted((when, track) for track, times in tracks.items() for when in times)
    except TypeError as error:
        raise UsageError("some acquisition times have a time zone and others have none") from error


def _nearest_first(all_of: list[tuple[datetime, str]], window: timedelta) -> list[tuple[int, int]]:
    """Return the pairs of different tracks within the window: nearest first, then earliest."""
    near = []
    for first, second in combinations(range(len(all_of)), 2):
        apart = all_of[second][0] - all_of[first][0]
        if apart <= window and all_of[first][1] != all_of[second][1]:
            near.append((apart, first, second))
    return [(first, second) for _, first, second in sorted(near)]


def pair_name(pair: Mapping[str, datetime]) -> str:
    """Return a mosaic's name: its date, or the first and the last: ``20200615-20200618``."""
    first, last = (f"{when:%Y%m%d}" for when in (min(pair.values()), max(pair.values())))
    return first if first == last else f"{first}-{last}"
