"""Times as documents write them: UTC, microseconds, ``Z``."""

from __future__ import annotations

from datetime import datetime, timezone


def utc_text(when: datetime) -> str:
    """Return e.g. ``2014-09-09T04:33:47.052000Z``.

    Raises
    ------
    ValueError
        `when` has no timezone.
    """
    if when.tzinfo is None:
        raise ValueError("a time without a timezone cannot be written into a document")
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def utc_text_or_none(when: datetime | None) -> str | None:
    """Return `utc_text`, or None for None."""
    return None if when is None else utc_text(when)
