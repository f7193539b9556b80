"""Who said where a scene lies, which answer was taken, and how far the others lie from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alos2.types import FootprintSource, Json


@dataclass(frozen=True)
class FootprintAnswer:
    """One provider's answer.

    Parameters
    ----------
    source
        Who answered.
    geometry
        GeoJSON Polygon or MultiPolygon, degrees, closed, right-hand rule.
    method
        How it was found, in words, e.g. ``range-Doppler on the ellipsoid``, ``tie points``.
    accepted
        Whether it may be used; a catalogue's row that contradicts the product is not.
    reason
        Why it was not accepted; empty if it was.
    details
        What else the provider can say (a catalogue's row, the height used, the area ratio).
    """

    source: FootprintSource
    geometry: Json
    method: str
    accepted: bool = True
    reason: str = ""
    details: Json = field(default_factory=dict)


@dataclass(frozen=True)
class FootprintReport:
    """The footprint of a product with everything that was said about it.

    Parameters
    ----------
    chosen
        The answer that the dataset's location is.
    answers
        Every answer, `chosen` among them, in the order in which they were asked for.
    failures
        Why the providers that gave no answer gave none: one sentence each.
    distances_m
        Distance of each other answer to `chosen`: largest Hausdorff distance of the outlines, m.
    """

    chosen: FootprintAnswer
    answers: tuple[FootprintAnswer, ...]
    failures: Mapping[FootprintSource, str] = field(default_factory=dict)
    distances_m: Mapping[FootprintSource, float] = field(default_factory=dict)
