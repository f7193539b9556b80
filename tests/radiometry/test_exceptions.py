"""Published exceptions: which products they are of, and what they change."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from alos2.radiometry import EXCEPTIONS, CalibrationException, factor_for, published_exception

WHEN = datetime(2016, 9, 28, 7, 0, tzinfo=timezone.utc)
BEFORE, AFTER = WHEN - timedelta(seconds=1), WHEN


@pytest.mark.parametrize("mode", ["WBS", "WBD", "WWS", "WWD"])
def test_scansar_beam_w2_before_the_date(mode: str) -> None:
    found = published_exception(mode, beam_number=2, processed=BEFORE, leader_factor_db=-83.0)
    assert found is not None
    assert found.db == -79.0
    assert found.source == "exception: ScanSAR beam W2 ordered before 2016-09-28"
    assert factor_for("1.5", -83.0, instead=found) == found
    assert factor_for("1.1", -83.0, instead=found).db == -111.0


@pytest.mark.parametrize(
    ("mode", "beam", "processed", "factor"),
    [
        ("WBD", 2, AFTER, -83.0),
        ("WBD", 1, BEFORE, -83.0),
        ("WBD", None, BEFORE, -83.0),
        ("WBD", 2, None, -83.0),
        ("WBD", 2, BEFORE, -79.0),
        ("WBD", 2, BEFORE, None),
        ("VBD", 2, BEFORE, -83.0),
        ("FBD", 2, BEFORE, -83.0),
    ],
)
def test_all_others_keep_the_leaders_factor(
    mode: str, beam: int | None, processed: datetime | None, factor: float | None
) -> None:
    assert (
        published_exception(mode, beam_number=beam, processed=processed, leader_factor_db=factor)
        is None
    )


def test_a_table_of_ones_own() -> None:
    entry = CalibrationException(
        name="made up",
        modes=frozenset({"HBQ"}),
        beam_number=4,
        processed_before=AFTER,
        leader_factor_db=-83.0,
        factor_db=-82.5,
        document="nowhere",
    )
    found = published_exception(
        "HBQ", beam_number=4, processed=BEFORE, leader_factor_db=-83.0000001, table=(entry,)
    )
    assert found == (-82.5, "exception: made up")


def test_each_entry_names_its_document() -> None:
    for entry in EXCEPTIONS:
        assert "JAXA" in entry.document
        assert entry.processed_before.tzinfo is not None
        assert entry.factor_db != entry.leader_factor_db
