from __future__ import annotations

from pathlib import Path

from campaigns.stack_faults import campaign


def test_killed_anywhere_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    tally = campaign(5, 5, folder=tmp_path)
    assert tally.wrong == []
    assert (tally.different, tally.litter) == (0, 0)
    assert tally.kills >= 5


def test_the_campaign_finds_outputs_that_are_made_in_place(tmp_path: Path) -> None:
    tally = campaign(3, 3, folder=tmp_path, mutation="staging")
    assert tally.different + tally.litter > 0
