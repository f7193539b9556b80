"""A plan is told: as lines for a terminal, as ``plan.json``, and as a picture beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from alos2.dataset.jsontext import json_bytes
from alos2.stack.config.text import put_bytes
from alos2.stack.planning.coverage import WHOLE
from alos2.stack.planning.grids import MOSAIC
from alos2.stack.planning.model import Track
from alos2.stack.planning.plan import PLAN_JSON, Plan
from alos2.stack.planning.words import count_text, share_text, size_text

PLAN_SVG: Final = "plan.svg"
PLAN_PNG: Final = "plan.png"
_MOST_LEFT_OUT: Final = 20


def write_plan(plan: Plan, folder: Path, *, plot: bool = True) -> list[Path]:
    """Write a plan into a folder, each file in one step.

    Parameters
    ----------
    plan : Plan
        What is written.
    folder : Path
        Is made if it is not there.
    plot : bool, optional
        Whether pictures are drawn too, as SVG and PNG. Without, older ones are taken away: they
        would be another plan's.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    NoResource, NoSpace
        The system refuses.
    """
    files: dict[str, bytes] = {}
    if plot:
        # Imported late: a run that only notes its plan needs no pictures.
        from alos2.stack.picture.plot import draw_plan  # noqa: PLC0415

        drawing = draw_plan(plan)
        files = {PLAN_SVG: drawing.svg().encode(), PLAN_PNG: drawing.png()}
    files[PLAN_JSON] = json_bytes(plan.to_json())
    if not plot and not _is_there(folder / PLAN_JSON, files[PLAN_JSON]):
        for name in (PLAN_SVG, PLAN_PNG):
            with suppress(OSError):
                (folder / name).unlink()
    for name, data in files.items():
        put_bytes(folder / name, data)
    return [folder / name for name in files]


def _is_there(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield a plan in lines for a terminal."""
    yield from _table(
        [
            ("TRACK", "DATES", "POL", "LEVEL", "PASS", "LOOK", "OF AREA", "GRID"),
            *(_track_row(plan, track) for track in plan.tracks),
        ]
    )
    yield ""
    yield from _table(_date_rows(plan))
    yield ""
    grid = plan.grids[MOSAIC]
    where = f"EPSG:{grid.epsg}" if grid.epsg is not None else "a CRS of its own"
    size = _size(grid.shape.pixels, grid.shape.lines)
    yield f"grid of all   {size} of {grid.transform[0]:g}, {where}"
    if plan.area is not None:
        yield f"area          {share_text(plan.coverage.covered)} of it covered"
    needs = plan.estimates
    steps = ", ".join(
        f"{name} {size_text(size)}" for name, size in needs.disk_bytes.items() if size
    )
    yield f"disk, about   {size_text(sum(needs.disk_bytes.values()))}: {steps}"
    yield f"memory        {needs.memory_mb} MB at most"
    if plan.warnings:
        yield ""
    for warning in plan.warnings:
        yield f"! {warning.message}"
    yield from _left_out_lines(plan)


def _left_out_lines(plan: Plan) -> Iterator[str]:
    """Yield what is not used; of what nobody asked for only how much it is."""
    told = [one for one in plan.left_out if one.code != "not_asked_for"]
    others = len(plan.left_out) - len(told)
    if plan.left_out:
        yield ""
    if told:
        yield f"not used ({len(told)}):"
    for one in told[:_MOST_LEFT_OUT]:
        yield f"  {one.what}: {one.message}"
    if len(told) > _MOST_LEFT_OUT:
        yield f"  and {len(told) - _MOST_LEFT_OUT} more, see {PLAN_JSON}"
    if others:
        yield f"{count_text(others, 'more delivery', 'more deliveries')} there, not asked for"


def _track_row(plan: Plan, track: Track) -> tuple[str, ...]:
    coverage = plan.coverage.tracks[track.name]
    shape = plan.grids[track.name].shape
    return (
        track.name,
        str(len(track.acquisitions)),
        "+".join(track.polarizations) or "-",
        ", ".join(sorted({f"{scene.level} {scene.format}" for scene in track.scenes})),
        track.pass_direction,
        track.look,
        "-" if plan.coverage.area is None else share_text(coverage.of_area),
        _size(shape.pixels, shape.lines),
    )


def _date_rows(plan: Plan) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("DATE", "TIME (UTC)", "TRACK", "COVERS", "FRAMES", "SCENES")]
    dates = [(one, track) for track in plan.tracks for one in track.acquisitions]
    for one, track in sorted(dates, key=lambda pair: (pair[0].when, pair[1].name)):
        share = plan.coverage.tracks[track.name].shares[one.name]
        rows.append(
            (
                f"{one.when:%Y-%m-%d}",
                f"{one.when:%H:%M:%S}",
                track.name,
                share_text(share) + ("" if share >= WHOLE else " !"),
                " ".join(one.frames),
                " ".join(scene.scene for scene in one.scenes),
            )
        )
    return rows


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _size(pixels: int, lines: int) -> str:
    return f"{pixels} x {lines}"
