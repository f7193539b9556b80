"""Where the files of one product disagree about what it is.

Name, summary.txt, leader, volume directory, images and KML each say some things again. What
they say is compared here, and nothing is corrected: a contradiction names both values.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from alos2.ceos.reader import Leader, Volume
from alos2.errors import BadProduct
from alos2.naming import ProductId, SceneId
from alos2.product.ceos import center_time_of
from alos2.product.kml import SceneKml
from alos2.product.model import Image, MapGrid, Problem
from alos2.product.summary import Summary
from alos2.types import LookSide, PassDirection, ProductFormat

_TIME_TOLERANCE_S: Final = 2.0
"""Centre times of leader and summary: both to the millisecond; a leap second may lie between."""
_FIRST_LINE_TOLERANCE_S: Final = 120.0
"""A scene lasts 10 s, ScanSAR 52 s."""
_LONGEST_SCENE_S: Final = 300.0


def _differ(what: str, where: str, found: object, other: str, expected: object) -> str:
    return f"{what}: {where} says {found}, {other} says {expected}"


def _problem(message: str, file: str, *, blocks: bool = True) -> Problem:
    return Problem("contradiction", message, file, blocks)


def compare_summary(
    summary: Summary, scene: SceneId, product: ProductId, image_format: ProductFormat
) -> list[Problem]:
    """summary.txt against the files' names."""
    where = summary.name
    expected = {
        "Scs_SceneID": str(scene),
        "Pds_ProductID": str(product),
        "Lbi_ProcessLevel": product.level,
        "Pdi_ProductFormat": {"ceos": "CEOS", "geotiff": "GeoTIFF"}[image_format],
        "Lbi_Satellite": "ALOS2",
    }
    problems = []
    for key, value in expected.items():
        said = summary.text(key)
        if said is not None and said.lower() != value.lower():
            message = _differ(key, where, said, "the file names", value)
            problems.append(_problem(message, where, blocks=key != "Lbi_Satellite"))
    center = summary.time("Img_SceneCenterDateTime")
    if center is not None and center.date() != scene.date:
        message = _differ(
            "day of the scene's centre", where, center.date(), "the scene id", scene.date
        )
        problems.append(_problem(message, where))
    problems += _compare_times(summary)
    count, listed = summary.file_count, len(summary.file_names)
    if count is not None and listed and count != listed:
        message = f"{where} announces {count} files and names {listed}"
        problems.append(_problem(message, where, blocks=False))
    return problems


def _compare_times(summary: Summary) -> list[Problem]:
    """Start, centre and end of the scene against each other."""
    places = {"Start": "start", "Center": "centre", "End": "end"}
    named = [(words, summary.time(f"Img_Scene{key}DateTime")) for key, words in places.items()]
    known = [(words, when) for words, when in named if when is not None]
    problems = []
    for (words, when), (next_words, later) in pairwise(known):
        if not 0.0 < (later - when).total_seconds() <= _LONGEST_SCENE_S:
            message = (
                f"{summary.name}: the scene's {words} is at {_clock(when)}, "
                f"its {next_words} at {_clock(later)}"
            )
            problems.append(_problem(message, summary.name))
    return problems


def _clock(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def look_of(leader: Leader) -> LookSide | None:
    """Look side by the clock angle: 90 right, -90 left; None where it says neither."""
    angle = leader.data_set_summary["clock_angle_deg"]
    if angle is None or angle == 0.0:
        return None
    # 270 is -90 written otherwise.
    return "R" if 0.0 < angle % 360.0 < 180.0 else "L"


def pass_of(leader: Leader) -> PassDirection | None:
    """Pass by the direction of the lines; None where blank."""
    text = str(leader.data_set_summary["line_time_direction"] or "").upper()
    if text.startswith("ASC"):
        return "A"
    return "D" if text.startswith("DES") else None


def compare_leader(
    leader: Leader, scene: SceneId, product: ProductId, summary: Summary | None
) -> list[Problem]:
    """Leader against the files' names and the summary."""
    record: Mapping[str, Any] = leader.data_set_summary
    where, names = leader.name, "the file names"
    level = str(record["level"] or "").strip()
    orbit = record["orbit"]
    claims: tuple[tuple[str, object, object], ...] = (
        ("scene id", str(record["scene_id"] or "").strip(), str(scene)),
        ("level", level, product.level),
        ("orbit", str(orbit).zfill(5) if orbit else "", scene.orbit),
        ("look side (clock angle)", look_of(leader), product.look),
        ("pass (line direction)", pass_of(leader), product.pass_direction),
    )
    problems = [
        _problem(_differ(what, where, said, names, expected), where)
        for what, said, expected in claims
        if said and said != expected
    ]
    return problems + _compare_centers(leader, summary)


def _compare_centers(leader: Leader, summary: Summary | None) -> list[Problem]:
    said = summary.time("Img_SceneCenterDateTime") if summary else None
    try:
        own = center_time_of(leader)
    except BadProduct:
        return []  # named as bad_leader where the leader is read
    if said is None or own is None or abs((said - own).total_seconds()) <= _TIME_TOLERANCE_S:
        return []
    message = _differ("centre time", leader.name, _clock(own), "summary.txt", _clock(said))
    return [_problem(message, leader.name)]


def compare_volume(volume: Volume, scene: SceneId, product: ProductId) -> list[Problem]:
    """Volume directory's text record against the files' names."""
    text = volume.text or {}
    problems = []
    for key, mark, expected in (("product", "PRODUCT:", product), ("orbit", "ORBIT :", scene)):
        said = str(text.get(key) or "").strip()
        said = said.removeprefix(mark).strip() if said.startswith(mark) else ""
        if said and said != str(expected):
            message = _differ(key, volume.name, said, "the file names", expected)
            problems.append(_problem(message, volume.name))
    return problems


def compare_kml(kml: SceneKml, name: str, scene: SceneId, product: ProductId) -> list[Problem]:
    """KML against the files' names: remarks only, for KMLs are known to be wrong."""
    claims = (
        ("scene id", kml.scene_id, str(scene)),
        ("product id", kml.product_id, str(product)),
        ("path", kml.path, scene.path),
        ("frame", kml.frame.zfill(4) if kml.frame else None, scene.frame),
    )
    problems = [
        _problem(_differ(what, name, said, "the file names", expected), name, blocks=False)
        for what, said, expected in claims
        if said is not None and said != expected
    ]
    for placemark in dict.fromkeys(kml.placemarks):
        if placemark and placemark != str(scene):
            message = _differ("a placemark", name, placemark, "the file names", scene)
            problems.append(_problem(message, name, blocks=False))
    return problems


def compare_images(
    images: Iterable[Image], product: ProductId, summary: Summary | None
) -> list[Problem]:
    """Images against each other and against the sizes in the summary."""
    problems: list[Problem] = []
    first: dict[object, Image] = {}
    shapes = summary.shapes if summary else {}
    for image in images:
        other = first.setdefault(image.beam, image)
        if image.shape != other.shape:
            message = (
                f"{image.file.name} has {image.shape.lines} lines x {image.shape.pixels} pixels, "
                f"{other.file.name} {other.shape.lines} x {other.shape.pixels}"
            )
            problems.append(_problem(message, image.file.name))
        elif image.grid is not None and other.grid is not None and image.grid != other.grid:
            message = f"{image.file.name} and {other.file.name} lie on different map grids"
            problems.append(_problem(message, image.file.name))
        said = shapes.get(image.beam.number if image.beam else 0)
        if image is other and said is not None and said != image.shape:
            message = (
                f"size: {image.file.name} has {image.shape.lines} lines x {image.shape.pixels} "
                f"pixels, summary.txt says {said.lines} x {said.pixels}"
            )
            problems.append(_problem(message, image.file.name, blocks=product.level != "1.1"))
        problems += _compare_first_line(image, summary)
    return problems


def _compare_first_line(image: Image, summary: Summary | None) -> list[Problem]:
    center = summary.time("Img_SceneCenterDateTime") if summary else None
    if center is None or image.timing is None:
        return []
    first = image.timing.first_line_time
    if abs((first - center).total_seconds()) <= _FIRST_LINE_TOLERANCE_S:
        return []
    message = _differ(
        "time",
        f"{image.file.name} (first line)",
        _clock(first),
        "summary.txt (centre)",
        _clock(center),
    )
    return [_problem(message, image.file.name)]


def compare_grid(grid: MapGrid, summary: Summary, file: str) -> list[Problem]:
    """UTM zone and spacing of the images against the summary."""
    problems = []
    zone, spacing = summary.integer("Pds_UTM_ZoneNo"), summary.number("Pds_PixelSpacing")
    if zone is not None and grid.epsg is not None and grid.epsg % 100 != zone:
        message = _differ("UTM zone", file, grid.epsg % 100, "summary.txt", zone)
        problems.append(_problem(message, file))
    own = math.hypot(grid.transform[0], grid.transform[3])
    if spacing and abs(own / spacing - 1.0) > 0.01:
        message = _differ("pixel spacing", file, f"{own:.4f} m", "summary.txt", f"{spacing:.4f} m")
        problems.append(_problem(message, file))
    return problems
