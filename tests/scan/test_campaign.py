"""A short form of the scan's fault campaign; `make scan-faults` runs it at length."""

from __future__ import annotations

from campaigns.scan_faults import campaign


def test_every_scene_is_there_once_however_often_it_is_killed() -> None:
    tally = campaign(1, 11, scenes=5, deadly=(3, 3))
    assert tally.wrong == []
    assert (tally.lost, tally.twice) == (0, 0)
    assert tally.killed > 0
    assert tally.scenes >= 3


def test_the_campaign_finds_what_is_lost() -> None:
    tally = campaign(1, 11, scenes=4, mutation="lose", deadly=(2, 2))
    assert tally.lost > 0
    assert any("not in the catalogue" in sentence for sentence in tally.wrong)
