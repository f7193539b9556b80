"""Results on standard output: JSON lines for programs, short blocks for people."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click

from alos2.types import Json


def json_line(line: Json) -> None:
    """Print one object on one line."""
    click.echo(json.dumps(line, ensure_ascii=False, allow_nan=False))


def human_size(size_bytes: int) -> str:
    """Return a size as people say it, e.g. ``1.6 GB`` (powers of 1000)."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _corners(geometry: Json | None, source: str | None) -> str:
    if not geometry:
        return "unknown"
    polygons = geometry["coordinates"]
    if geometry["type"] == "Polygon":
        polygons = [polygons]
    rings = (", ".join(f"{x:.3f} {y:.3f}" for x, y in polygon[0][:-1]) for polygon in polygons)
    return f"{' / '.join(rings)} ({source})"


def product_block(line: Json) -> None:
    """Print what a product is, for a person."""
    rows = [
        ("level", f"{line['level']} {line['format']}"),
        ("mode", f"{line['mode']}, {'/'.join(line['polarizations']) or 'no image'}"),
        ("pass, look", f"{_word(line['pass'])}, {_word(line['look'])}"),
        ("path, orbit, frame", f"{line['path']}, {line['orbit']}, {line['frame']}"),
        ("time (UTC)", f"{line['starttime'] or '?'} .. {line['endtime'] or '?'}"),
        ("footprint", _corners(line["footprint"], line["footprint_source"])),
    ]
    if line["beams"]:
        rows.insert(2, ("beams", " ".join(line["beams"])))
    if line.get("dataset_dir"):
        rows.append(("dataset", line["dataset_dir"]))
    total = sum(file["size"] for file in line["files"])
    rows.append(("files", f"{len(line['files'])}, {human_size(total)}"))
    status = f"  [{line['status']}]" if line.get("status") else ""
    click.echo(f"{line['id']}{status}")
    for name, value in rows:
        click.echo(f"  {name:<19} {value}")
    _problems(line["problems"])


def _word(letter: str) -> str:
    return {"A": "ascending", "D": "descending", "L": "left", "R": "right"}[letter]


def _problems(problems: Iterable[Json]) -> None:
    for problem in problems:
        weight = "problem" if problem["blocks_ingest"] else "note"
        click.echo(f"  {weight + ':':<19} {problem['message']} [{problem['code']}]")
