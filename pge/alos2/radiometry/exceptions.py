"""Products whose calibration factor is not the one that their leader says: JAXA's announcements.

Only what a public document of JAXA states is in the table, with the document and its date. Each
entry says which products it is of; what a product does not say (GeoTIFF deliveries carry no beam
number) cannot meet a condition, and then nothing is changed.

A product does not tell when it was ordered, only when it was processed, which is later: what was
processed before a date was ordered before it. What was ordered before and processed after it
keeps the leader's factor.

Level 2.2, mosaics and other sensors are no concern of this table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Final

from alos2.radiometry.factor import Factor

_SAME_DB: Final = 0.005
"""Leaders print factors with more digits than JAXA's pages."""


@dataclass(frozen=True)
class CalibrationException:
    """One announcement."""

    name: str
    """In a few words: it becomes a part of ``Factor.source``."""
    modes: frozenset[str]
    """Observation modes, e.g. ``WBD``."""
    beam_number: int
    """Of the leader's data set summary."""
    processed_before: datetime
    """UTC; earlier products are meant."""
    leader_factor_db: float
    """What their leaders say, dB; with another factor a product has been put right already."""
    factor_db: float
    """What holds instead, dB (without the -32 dB of level 1.1)."""
    document: str
    """Where JAXA says so."""

    def holds_for(
        self,
        mode: str,
        beam_number: int | None,
        processed: datetime | None,
        leader_factor_db: float | None,
    ) -> bool:
        """Whether it is of a product; what is None meets no condition."""
        return (
            mode in self.modes
            and beam_number == self.beam_number
            and processed is not None
            and processed < self.processed_before
            and leader_factor_db is not None
            and abs(leader_factor_db - self.leader_factor_db) < _SAME_DB
        )


EXCEPTIONS: Final[tuple[CalibrationException, ...]] = (
    CalibrationException(
        name="ScanSAR beam W2 ordered before 2016-09-28",
        # Beams named W are those of the 350 km modes; the leader gives W2 as beam number 2.
        modes=frozenset({"WBS", "WBD", "WWS", "WWD"}),
        beam_number=2,
        processed_before=datetime(2016, 9, 28, 7, 0, tzinfo=timezone.utc),
        leader_factor_db=-83.0,
        factor_db=-79.0,
        document=(
            "JAXA EORC, calibration results of ALOS-2/PALSAR-2 standard products (in Japanese), "
            "note of 2016-10-19, https://www.eorc.jaxa.jp/ALOS-2/calval/calval_jindex.htm"
        ),
    ),
)
"""The table. JAXA's page also names a PDF of factors by version of the processor, which is not
public reading any more as far as could be found: its contents are not here."""


def published_exception(
    mode: str,
    *,
    beam_number: int | None,
    processed: datetime | None,
    leader_factor_db: float | None,
    table: Sequence[CalibrationException] = EXCEPTIONS,
) -> Factor | None:
    """Find the factor that JAXA published instead of the leader's.

    Parameters
    ----------
    mode : str
        Observation mode, e.g. ``WBD``.
    beam_number : int or None
        Of the leader.
    processed : datetime or None
        When the product was processed, UTC.
    leader_factor_db : float or None
        Factor of the leader, dB, without the -32 dB of level 1.1.
    table : sequence of CalibrationException, optional
        Of announcements; the first that holds is taken.

    Returns
    -------
    Factor or None
        For ``factor_for(..., instead=)``; None where the leader's holds.
    """
    for entry in table:
        if entry.holds_for(mode, beam_number, processed, leader_factor_db):
            return Factor(entry.factor_db, f"exception: {entry.name}")
    return None
