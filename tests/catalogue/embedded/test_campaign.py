"""A short form of the catalogue's fault campaign; `make catalogue-faults` runs it at length."""

from __future__ import annotations

import sys

import pytest

from campaigns.catalogue_faults import campaign

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forkserver and SIGKILL")


def test_however_it_is_killed_the_next_start_finds_it_clean() -> None:
    tally = campaign(12, 5)
    assert tally.wrong == []
    assert tally.kills == 12


def test_the_campaign_finds_what_nobody_marked() -> None:
    tally = campaign(60, 2, mutation="marks", until_wrong=True)
    assert any(word in tally.wrong[0] for word in ("not-catalogued", "differs", "gone")), (
        tally.wrong
    )
