"""The fault campaign in its short form; ``make faults`` runs the long one."""

from __future__ import annotations

import sys

import pytest

from campaigns.faults import campaign, plan


@pytest.mark.skipif(sys.platform == "win32", reason="the campaign forks")
def test_no_fault_makes_a_corrupt_file() -> None:
    tally = campaign(48, seed=20140524, workers=2)
    assert not tally.wrong
    assert tally.transfers == 48
    assert tally.corrupt == 0
    # It has to be about something: faults that pass are survived, and runs are killed.
    assert tally.right >= 36
    assert tally.ended_early >= 6
    assert tally.resumed >= 12


def test_a_plan_is_the_same_again() -> None:
    one, again = plan(7, 3), plan(7, 3)
    assert one.versions == again.versions
    assert one.ends == again.ends
    assert plan(7, 4).versions != one.versions
