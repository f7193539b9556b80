"""The picture of a plan: area and scenes on a map, and what each date covers.

Light, for paper and screen; it tells of colours by words and places too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

import shapely
from shapely.geometry.base import BaseGeometry

from alos2.stack.picture.drawing import Area, Drawing, Point, Stroke, Words, text_width
from alos2.stack.picture.mapview import INK, PALE, Frame, MapView
from alos2.stack.planning.coverage import WHOLE
from alos2.stack.planning.grouping import north_first
from alos2.stack.planning.model import Track
from alos2.stack.planning.words import count_text, share_text

if TYPE_CHECKING:
    from alos2.stack.planning.plan import Plan

COLOURS: Final = (
    "#0072b2", "#d55e00", "#009e73", "#b0508f", "#c98a00", "#3d8fc7", "#6a3d9a", "#7a5a3a",
)  # fmt: skip
"""Told apart by those who see no red or green too (after Okabe and Ito), dark enough on white."""

_WIDTH: Final = 1200
_MAP: Final = Frame(64, 64, 720, 560)
_SIDE_X: Final = 816
_ROW: Final = 26
_HOLE: Final = "#c62828"
_HATCH_PX: Final = 7.0
_MOST_TRACKS: Final = 10
_MOST_ROWS: Final = 24
_MOST_WARNINGS: Final = 6
_FAINTEST: Final = 0.03
_DOT: Final = 6.0
_FEW_MONTHS: Final = 3.3
_GOES: Final = {"A": "ascending", "D": "descending"}
_LOOKS: Final = {"R": "right", "L": "left"}


def draw_plan(plan: Plan) -> Drawing:
    """Draw a plan.

    Parameters
    ----------
    plan : Plan
        With its coverage.
    """
    order = north_first(plan.tracks)
    colours = {track.name: COLOURS[n % len(COLOURS)] for n, track in enumerate(order)}
    rows = order[:_MOST_ROWS]
    timeline_y = _MAP.y + _MAP.height + 56
    warnings_y = timeline_y + 52 + _ROW * len(rows)
    notes = _notes(plan)
    height = round(warnings_y + (16 + 20 * len(notes) if notes else 0) + 12)
    dates = plan.estimates.acquisitions
    title = f"{count_text(len(order), 'track')}, {count_text(dates, 'acquisition')}"
    drawing = Drawing(_WIDTH, height, title=f"Plan of a stack: {title}")
    drawing.add(
        Words((_MAP.x, 26), f"Stack plan: {title}", 20, INK, bold=True),
        Words((_MAP.x, 48), _subtitle(plan), 13, PALE),
    )
    view = MapView(plan.coverage.sheet, _shown(plan), _MAP)
    _draw_map(drawing, view, plan, colours)
    _draw_legend(drawing, plan, order, colours)
    _draw_timeline(drawing, plan, rows, colours, timeline_y)
    for number, note in enumerate(notes):
        y = warnings_y + 16 + 20 * number
        _disc(drawing, (_MAP.x + 4, y), 1.0, _HOLE, 3.5)
        drawing.add(Words((_MAP.x + 16, y), note, 12.5))
    return drawing


def _shown(plan: Plan) -> BaseGeometry:
    parts = [*plan.coverage.outlines.values()]
    if plan.area is not None:
        parts.append(plan.coverage.sheet.put(plan.area))
    return shapely.union_all(parts)


def _subtitle(plan: Plan) -> str:
    times = [one.when for track in plan.tracks for one in track.acquisitions]
    words = [f"{min(times):%Y-%m-%d} to {max(times):%Y-%m-%d}"]
    if plan.coverage.area is not None:
        words.append(f"{share_text(plan.coverage.covered)} of the area covered")
    grid = plan.grids["mosaic"]
    where = f"EPSG:{grid.epsg}" if grid.epsg else "own CRS"
    spacing = grid.transform[0]
    words.append(f"{grid.shape.pixels} x {grid.shape.lines} pixels of {spacing:g} in {where}")
    return "  ·  ".join(words)


def _draw_map(drawing: Drawing, view: MapView, plan: Plan, colours: Mapping[str, str]) -> None:
    view.draw_ground(drawing)
    view.draw_graticule(drawing)
    for track in plan.tracks:
        # So faint that all dates together are still seen through.
        faint = max(_FAINTEST, 0.30 / len(track.acquisitions))
        outlines = [view.put(plan.coverage.sheet.put(one.geometry)) for one in track.acquisitions]
        for one in outlines:
            drawing.fill(one, colours[track.name], faint)
        for one in outlines:
            drawing.outline(_inside(one, view), colours[track.name], 1.3, 0.75)
    if plan.area is not None:
        holes = view.put(plan.coverage.holes)
        drawing.outline(_hatched(holes), _HOLE, 1.0, 0.7)
        area = view.put(plan.coverage.sheet.put(plan.area))
        drawing.outline(_inside(area, view), "#ffffff", 4.5, 0.8)
        drawing.outline(_inside(area, view), INK, 2.2, dash=(8.0, 4.0))
        if area.geom_type == "Point":
            ring = area.buffer(6)
            drawing.outline(ring, INK, 2.2)
    for track in plan.tracks:
        _name_frames(drawing, view, plan, track, colours[track.name])
    view.draw_scale(drawing)


def _inside(seen: BaseGeometry, view: MapView) -> BaseGeometry:
    """Return outlines without the frame's own edge, where they were cut."""
    line = seen.boundary if seen.geom_type.endswith("Polygon") else seen
    return line.intersection(view.box.buffer(-0.5))


def _name_frames(drawing: Drawing, view: MapView, plan: Plan, track: Track, colour: str) -> None:
    """Write path and frame into each footprint, once a frame."""
    named = set()
    for scene in track.scenes:
        if scene.frame in named:
            continue
        named.add(scene.frame)
        seen = view.put(plan.coverage.sheet.put(scene.geometry))
        if seen.area < 2500:
            continue
        place = seen.representative_point()
        middle = seen.centroid if seen.contains(seen.centroid) else place
        text = f"{track.path} / {scene.frame}"
        drawing.add(Words((middle.x, middle.y), text, 12, colour, "middle", True, "#ffffff"))


def _hatched(area: BaseGeometry) -> BaseGeometry:
    """Return slanting lines within an area."""
    if area.is_empty or area.area < 1.0:
        return shapely.Polygon()
    west, south, east, north = area.bounds
    high = north - south
    count = math.ceil((east - west + high) / _HATCH_PX)
    slanting = [
        shapely.LineString([(west - high + k * _HATCH_PX, north), (west + k * _HATCH_PX, south)])
        for k in range(1, count + 1)
    ]
    return shapely.union_all(slanting).intersection(area)


def _draw_legend(
    drawing: Drawing, plan: Plan, order: Sequence[Track], colours: Mapping[str, str]
) -> None:
    y = _MAP.y + 8.0
    for track in order[:_MOST_TRACKS]:
        coverage = plan.coverage.tracks[track.name]
        drawing.rectangle(_SIDE_X, y - 7, 16, 16, colours[track.name])
        drawing.add(Words((_SIDE_X + 26, y), track.name, 14, INK, bold=True))
        levels = sorted({f"{s.level} {_format(s.format)}" for s in track.scenes})
        facts = [
            count_text(len(track.acquisitions), "date"),
            "+".join(track.polarizations) or "no image",
            f"level {', '.join(levels)}",
        ]
        drawing.add(Words((_SIDE_X + 26, y + 18), "  ·  ".join(facts), 12, PALE))
        more = f"{_GOES[track.pass_direction]}, looking {_LOOKS[track.look]}"
        if plan.coverage.area is not None:
            more += f"  ·  {share_text(coverage.of_area)} of the area"
        drawing.add(Words((_SIDE_X + 26, y + 34), more, 12, PALE))
        y += 56
    if len(order) > _MOST_TRACKS:
        rest = f"and {len(order) - _MOST_TRACKS} more tracks"
        drawing.add(Words((_SIDE_X + 26, y), rest, 12, PALE))
        y += 26
    if plan.area is not None:
        drawing.add(
            Stroke(((_SIDE_X, y), (_SIDE_X + 18, y)), INK, 2.2, 1.0, (8.0, 4.0)),
            Words((_SIDE_X + 26, y), "area of interest", 12.5, INK),
        )
        y += 24
        if not plan.coverage.holes.is_empty and plan.coverage.covered < 0.9995:
            box = shapely.box(_SIDE_X, y - 8, _SIDE_X + 18, y + 8)
            drawing.outline(_hatched(box), _HOLE, 1.0, 0.7)
            text = f"never covered: {share_text(1 - plan.coverage.covered)}"
            drawing.add(Words((_SIDE_X + 26, y), text, 12.5, INK))


def _draw_timeline(
    drawing: Drawing,
    plan: Plan,
    rows: Sequence[Track],
    colours: Mapping[str, str],
    top: float,
) -> None:
    """Draw the dates of each track: a full disc covers all that the track can, else its share."""
    label = max(text_width(track.name, 12.5) for track in rows) + 22
    left, right = _MAP.x + label, _WIDTH - 40.0
    times = [one.when for track in plan.tracks for one in track.acquisitions]
    first, last = min(times), max(times)
    span = max((last - first).total_seconds(), 86400.0 * 30)
    middle = first + (last - first) / 2
    start = middle - timedelta(seconds=span * 0.54)
    bottom = top + _ROW * len(rows)

    def x_of(when: datetime) -> float:
        return left + (right - left) * (when - start).total_seconds() / (span * 1.08)

    for when, text in _ticks(start, start + timedelta(seconds=span * 1.08)):
        x = x_of(when)
        drawing.add(Stroke(((x, top - 12), (x, bottom - 6)), "#e1e7ed", 1.0))
        drawing.add(Words((x, bottom + 8), text, 11, PALE, "middle"))
    for number, track in enumerate(rows):
        y = top + _ROW * number
        drawing.add(
            Words((_MAP.x, y), track.name, 12.5, colours[track.name]),
            Stroke(((left, y), (right, y)), "#d5dde5", 1.0),
        )
        for one in track.acquisitions:
            share = plan.coverage.tracks[track.name].shares[one.name]
            _disc(drawing, (x_of(one.when), y), share, colours[track.name])
    drawing.add(
        Words((left, bottom + 28), "date covers all that the track can cover", 11, PALE),
        Words((left + 300, bottom + 28), "covers a part", 11, PALE),
    )
    _disc(drawing, (left - 12, bottom + 28), 1.0, PALE)
    _disc(drawing, (left + 288, bottom + 28), 0.6, PALE)


def _disc(drawing: Drawing, at: Point, share: float, colour: str, radius: float = _DOT) -> None:
    """Draw a disc that is filled clockwise to a share."""
    x, y = at
    whole = share >= WHOLE
    turns = [2 * math.pi * k / 36 for k in range(37)]
    ring = tuple((x + radius * math.sin(t), y - radius * math.cos(t)) for t in turns)
    if whole:
        drawing.add(Area((ring,), colour))
        return
    drawing.add(Area((ring,), "#ffffff"))
    last = 36 * min(max(share, 0.0), 1.0)
    sector = [p for k, p in enumerate(ring) if k <= last]
    if len(sector) > 1:
        drawing.add(Area((((x, y), *sector),), colour))
    drawing.add(Stroke(ring, colour, 1.4))


def _ticks(start: datetime, end: datetime) -> list[tuple[datetime, str]]:
    """Return where the axis of time is marked, and with what."""
    months = (end - start).days / 30.4
    if months < _FEW_MONTHS:
        days = [start.date() + timedelta(days=n) for n in range((end - start).days + 2)]
        marks = [datetime(d.year, d.month, d.day, tzinfo=timezone.utc) for d in days]
        return [(m, f"{m:%Y-%m-%d}") for m in marks if m.day in (1, 11, 21) and start < m < end]
    step = next((s for s in (1, 2, 3, 6, 12, 24, 60) if months / s <= 11), 120)
    ticks = []
    month = start.year * 12 + start.month - 1
    month += -month % step
    while (when := datetime(month // 12, month % 12 + 1, 1, tzinfo=timezone.utc)) < end:
        if when > start:
            ticks.append((when, f"{when:%Y}" if step >= 12 else f"{when:%Y-%m}"))
        month += step
    return ticks


def _notes(plan: Plan) -> list[str]:
    """Return the warnings, each cut to one line."""
    notes = [warning.message for warning in plan.warnings]
    if plan.left_out:
        notes.append(
            f"{count_text(len(plan.left_out), 'delivery', 'deliveries')} left out, see plan.json"
        )
    if len(notes) > _MOST_WARNINGS:
        rest = len(notes) - _MOST_WARNINGS + 1
        notes = [*notes[: _MOST_WARNINGS - 1], f"and {rest} more, see plan.json"]
    return [_cut(note, _WIDTH - _MAP.x - 54, 12.5) for note in notes]


def _cut(text: str, width: float, size: float) -> str:
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "...", size) > width:
        text = text[:-1]
    return text.rstrip() + "..."


def _format(name: str) -> str:
    return {"ceos": "CEOS", "geotiff": "GeoTIFF"}.get(name, name)
