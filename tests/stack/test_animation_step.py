"""Which two dates of a track are shown side by side."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from alos2.animation import Frame
from alos2.errors import UsageError
from alos2.stack.config.read import checked
from alos2.stack.steps.animation import pair_of

FRAMES = [
    Frame(datetime(2020, 6, 15, 14, 44, tzinfo=timezone.utc) + timedelta(days=14 * n), {})
    for n in range(5)
]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, None, (0, 4)),
        ("2020-06-29", "2020-07-13", (1, 2)),
        ("2020-07-01", None, (1, 4)),
        ("1999-01-01", "2030-01-01", (0, 4)),
    ],
)
def test_the_nearest_dates_are_taken(
    before: str | None, after: str | None, expected: tuple[int, int]
) -> None:
    chosen = pair_of(FRAMES, before, after)
    assert chosen == tuple(FRAMES[n] for n in expected)


@pytest.mark.parametrize("day", ["2020-7-1", "July", "2020-13-01", "2020-02-30", 20200701])
def test_a_day_that_is_none(day: Any) -> None:
    with pytest.raises(UsageError, match="before"):
        checked({"animation": {"before": day}}, "here")


def test_a_date_of_toml_is_a_day() -> None:
    config = checked({"animation": {"before": datetime(2020, 7, 13).date()}}, "here")  # noqa: DTZ001
    assert config.animation.before == "2020-07-13"
