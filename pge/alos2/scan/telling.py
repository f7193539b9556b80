"""How everything stands, in words for people and in objects for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from alos2.cluster.model import JobStatus
from alos2.scan.report import (
    Flight,
    ScanReport,
    damaged_zips,
    duplicates,
    failures,
    incomplete,
    without_files,
)
from alos2.scan.schema import STATES
from alos2.scan.state import ScanState
from alos2.types import Json

_SHOWN: Final = 20
"""How many of a kind a person is shown."""


def json_lines(
    state: ScanState, flying: Sequence[Flight], report: ScanReport | None
) -> Iterator[Json]:
    """Yield how everything stands, as objects; the sum comes last."""
    for flight in flying:
        yield flight.to_json()
    for group in failures(state):
        yield {
            "kind": "failures",
            "class": group.error_class,
            "count": group.count,
            "example": {
                "dataset_id": group.dataset_id,
                "place": group.place,
                "message": group.message,
            },
            "remedy": group.remedy,
            "job_folder": group.log or None,
        }
    yield from incomplete(state)
    yield from duplicates(state)
    for path, sentence in damaged_zips(state):
        yield {"kind": "trouble", "place": path, "sentence": sentence}
    if report is None:
        yield {
            "kind": "status",
            "counts": state.counts(),
            "without_files": without_files(state),
            "in_flight": len(flying),
        }
    else:
        yield report.to_json()


def counts_text(counts: dict[str, int]) -> str:
    """Return the counts in one line."""
    return ", ".join(f"{counts[s]} {s}" for s in STATES if counts.get(s)) or "nothing is known"


def lines_of(
    state: ScanState, report: ScanReport | None, flying: Sequence[Flight], *, patience_s: float
) -> Iterator[str]:
    """Yield what a person is told of how everything stands."""
    counts = state.counts()
    yield f"scenes: {counts_text(counts)}"
    yield from _flight_lines(flying, patience_s)
    for group in failures(state):
        yield f"failed, {group.error_class}: {group.count}, such as {group.dataset_id}"
        yield f"  in {group.place}: {group.message}"
        yield f"  what to do: {group.remedy}"
        if group.log:
            yield f"  its job: {group.log}"
    yield from _some(
        "incomplete", counts["incomplete"], incomplete(state, _SHOWN),
        lambda line: f"lacks {', '.join(line['missing'])}",
    )  # fmt: skip
    yield from _some(
        "at several places", counts["duplicate"], duplicates(state, _SHOWN),
        lambda line: f"the one in {line['counts']} counts",
    )  # fmt: skip
    gone = without_files(state) if counts["gone"] else 0
    if gone:
        yield f"datasets of scenes whose files are gone: {gone}"
        yield "  what to do: nothing, or alos2 scan DIR --forget-gone, which removes them"
    zips = list(damaged_zips(state))
    troubles = [*(report.troubles if report else ()), *zips]
    more = len(troubles) - _SHOWN + (report.more_troubles if report else 0)
    for path, sentence in troubles[:_SHOWN]:
        yield f"trouble: {path} {sentence}"
    if more > 0:
        yield f"  ... and {more} more troubles (--json has them all)"


def _some(
    title: str, count: int, lines: Iterator[Json], say: Callable[[Json], str]
) -> Iterator[str]:
    if count:
        yield f"{title}: {count}"
        for line in lines:
            yield f"  {line['dataset_id']} in {line['place']}: {say(line)}"
        if count > _SHOWN:
            yield f"  ... and {count - _SHOWN} more (--json has them all)"


def _flight_lines(flying: Sequence[Flight], patience_s: float) -> Iterator[str]:
    if flying:
        yield f"jobs in flight: {len(flying)}"
    for flight in flying[:_SHOWN]:
        chunk = flight.chunk
        name = f"{chunk.scheduler} {chunk.native_id or '(no id yet)'}"
        if isinstance(flight.status, JobStatus):
            reason = f" ({flight.status.reason})" if flight.status.reason else ""
            word = f"{flight.status.state}{reason}"
        else:
            word = flight.status or "being submitted"
        text = f"  {name}: {word}, {flight.finished} of {chunk.units} scenes"
        waits = isinstance(flight.status, JobStatus) and flight.status.state == "waiting"
        if waits and flight.waiting_s > patience_s:
            text += f"; it has waited for {flight.waiting_s / 3600:.1f} h: look at it, or --cancel"
        yield text
    finished = sum(flight.finished for flight in flying)
    if finished:
        yield f"  {finished} of these scenes are finished: alos2 scan collects them"
    if len(flying) > _SHOWN:
        yield f"  ... and {len(flying) - _SHOWN} more (--json has them all)"
