"""Reading the XML files that ISCE2 leaves: components with properties, nested, names in lower case.

``<component name="swath1"><property name="startingrange"><value>...</value></property>...``; a
property's name is its public one without blanks (``pulserepetitionfrequency``), in some versions
the attribute's (``prf``). Source: ISCE2's ``Swath``, ``Track``, ``Orbit`` and ``XmlDumper``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import numpy as np
from lxml import etree

from alos2.errors import BadProduct
from alos2.geometry.orbit import Orbit
from alos2.types import RasterShape

_NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_LARGEST_BYTES: Final = 64 << 20


@dataclass(frozen=True)
class Swath:
    """Timing of one swath as ISCE2 read it."""

    sensing_start: datetime
    line_interval_s: float
    starting_range_m: float
    range_spacing_m: float
    shape: RasterShape

    def as_image(self) -> tuple[datetime, float, float, float, RasterShape]:
        """Return it in the form that `slant_range_footprint` takes."""
        return (
            self.sensing_start,
            self.line_interval_s,
            self.starting_range_m,
            self.range_spacing_m,
            self.shape,
        )


def _components(path: Path) -> Iterator[Mapping[str, str]]:
    """Yield the properties of each component of a file, outer ones first; none of a damaged one."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    if path.stat().st_size > _LARGEST_BYTES:
        return
    try:
        root = etree.parse(str(path), parser).getroot()
    except etree.XMLSyntaxError:
        return
    inner = (element for element in root.iter("component") if element is not root)
    for element in (root, *inner):
        found: dict[str, str] = {}
        for prop in element.findall("property"):
            value = prop.findtext("value") or prop.text or ""
            found[_plain_name(prop.get("name"))] = value.strip()
        yield found


def _plain_name(name: Any) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name or "").lower())


def _number(properties: Mapping[str, str], *names: str) -> float | None:
    """Return the first of the named properties that is a positive number."""
    for name in names:
        try:
            value = float(properties.get(name, ""))
        except ValueError:
            continue
        if math.isfinite(value) and value > 0:
            return value
    return None


def _moment(text: str | None) -> datetime | None:
    """Parse ISCE2's ``2014-09-09 04:26:35.123456`` (UTC); a whole second has no fraction."""
    for pattern in ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.strptime((text or "").replace("T", " "), pattern).replace(
                tzinfo=timezone.utc
            )
        except ValueError:
            continue
    return None


def read_swaths(paths: Sequence[Path]) -> list[Swath]:
    """Return the swaths of frame files; those that lack a value are left out.

    A frame has the same properties as its swaths, for their mosaic, and none has been set at this
    step; a component counts by what it holds, not by its name.
    """
    return [s for path in paths for c in _components(path) if (s := _swath(c)) is not None]


def _swath(properties: Mapping[str, str]) -> Swath | None:
    start = _moment(properties.get("sensingstart"))
    frequency = _number(properties, "prf", "pulserepetitionfrequency")
    near = _number(properties, "startingrange")
    spacing = _number(properties, "rangepixelsize")
    lines = _number(properties, "numberoflines")
    samples = _number(properties, "numberofsamples")
    if start is None or not (frequency and near and spacing and lines and samples):
        return None
    return Swath(start, 1.0 / frequency, near, spacing, RasterShape(int(lines), int(samples)))


def read_orbit(paths: Sequence[Path]) -> Orbit | None:
    """Return the orbit of the first track file that holds one."""
    for path in paths:
        vectors = [v for c in _components(path) if (v := _state_vector(c)) is not None]
        unique = dict(sorted(vectors, key=lambda v: v[0]))
        if len(unique) < 4:
            continue
        times = list(unique)
        values = np.array(list(unique.values()))
        try:
            return Orbit(
                times[0],
                np.array([(t - times[0]).total_seconds() for t in times]),
                values[:, :3],
                values[:, 3:],
            )
        except BadProduct:
            continue
    return None


def _state_vector(properties: Mapping[str, str]) -> tuple[datetime, tuple[float, ...]] | None:
    moment = _moment(properties.get("time"))
    numbers = [
        [float(n) for n in _NUMBER.findall(properties.get(name, ""))]
        for name in ("position", "velocity")
    ]
    if moment is None or any(len(n) != 3 for n in numbers):
        return None
    return moment, (*numbers[0], *numbers[1])
