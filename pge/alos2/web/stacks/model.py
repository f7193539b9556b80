"""The layers of a finished stack, as its STAC item tells them.

Names of layers go into addresses: ``20200615-HH`` is a date, ``avg-HH`` a metric, and with ``RGB``
in the place of the polarisation it is a composite of two polarisations and their ratio.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final, Literal

from alos2.animation.metrics import LOOKS
from alos2.raster.composite import composite_pair
from alos2.raster.pictures import COMPOSITE
from alos2.types import POLARIZATIONS, Json, Polarization
from alos2.web.answers import not_found

MEAN: Final = "avg"
POWER_METRICS: Final = tuple(name for name, look in LOOKS.items() if look.quantity == "power")

_DATE: Final = re.compile(
    r"(?P<name>(?P<first>\d{8}(?:T\d{6})?)(?:-\d{1,3})?(?:-(?P<last>\d{8}(?:T\d{6})?))?)"
    r"\.bs\.(?P<pol>HH|HV|VH|VV)\.tif"
)
_METRIC: Final = re.compile(r"bs\.(?P<pol>HH|HV|VH|VV)\.(?P<metric>[a-z0-9_]+)\.tif")
_EARTH_M: Final = 2 * math.pi * 6378137.0
_TILE_PX: Final = 256
_DEEPEST: Final = 22

Kind = Literal["date", "metric"]


@dataclass(frozen=True)
class StackLayer:
    """Something of a stack that can be drawn on the map."""

    name: str
    kind: Kind
    what: str
    """The date's or the metric's name: ``20200615``, ``avg``."""
    polarizations: tuple[str, ...]
    """One; two of a composite."""
    paths: tuple[str, ...]
    """Of their files in the dataset's folder."""

    @property
    def is_composite(self) -> bool:
        """Whether it is drawn in three colours."""
        return len(self.paths) > 1


@dataclass(frozen=True)
class StackDate:
    """A date of a stack; of a mosaic those of the tracks that it was made of."""

    name: str
    times: tuple[datetime, ...]
    """UTC, by time."""
    layers: Mapping[str, str] = field(default_factory=dict)
    """Path of the file of each polarisation."""

    @property
    def middle(self) -> datetime:
        """Between its first and its last time."""
        return self.times[0] + (self.times[-1] - self.times[0]) / 2

    @property
    def title(self) -> str:
        """The days, for people."""
        days = list(dict.fromkeys(f"{when:%Y-%m-%d}" for when in self.times))
        if len(days) == 1 and "T" in self.name:
            return f"{self.times[0]:%Y-%m-%d %H:%M}"
        return " / ".join(days[:1] + days[-1:] if len(days) > 1 else days)


@dataclass(frozen=True)
class StackProduct:
    """A finished stack."""

    id: str
    item: Json
    etag: str
    """Of its document."""
    folder: str
    """Of the dataset in the archive, with ``/``."""
    dates: tuple[StackDate, ...]
    """By time."""
    metrics: Mapping[str, Mapping[str, str]]
    """Path of each file by metric and polarisation, in the usual order of metrics."""
    polarizations: tuple[Polarization, ...]
    layers: Mapping[str, StackLayer]
    """By name; the one that is shown first comes first."""
    assets: Mapping[str, str]
    """Names of files, and the keys of their assets."""

    @property
    def pair(self) -> tuple[Polarization, Polarization] | None:
        """The polarisations of composites, if there are such."""
        return composite_pair(self.polarizations)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north; west > east across the antimeridian."""
        box = self.item.get("bbox") or (-180.0, -85.0, 180.0, 85.0)
        west, south, east, north = box if len(box) == 4 else (*box[:2], *box[3:5])
        return float(west), float(south), float(east), float(north)

    @property
    def max_zoom(self) -> int:
        """Zoom whose pixels are as small as those of the files."""
        gsd = self.item["properties"].get("gsd") or 25.0
        _, south, _, north = self.bounds
        if str(self.item["properties"].get("proj:code")) == "EPSG:4326":
            gsd = gsd * _EARTH_M / 360.0
        cosine = max(0.02, math.cos(math.radians((south + north) / 2)))
        zoom = math.ceil(math.log2(_EARTH_M * cosine / (_TILE_PX * float(gsd))))
        return min(max(zoom, 0), _DEEPEST)

    def layer(self, name: str) -> StackLayer:
        """Return a layer.

        Raises
        ------
        HttpError
            404: there is none of this name.
        """
        found = self.layers.get(name)
        if found is None:
            raise not_found(f"stack {self.id!r} has no layer {name[:60]!r}")
        return found


def product_of(item: Json, etag: str, folder: str | None = None) -> StackProduct:
    """Return the stack that a STAC item tells of.

    Parameters
    ----------
    item : Json
        Of type ``alos2_stack``.
    etag : str
        Of its document.
    folder : str, optional
        Of the dataset in the archive, where it is not its id.
    """
    paths = {
        str(asset.get("href", "")).removeprefix("./"): key
        for key, asset in (item.get("assets") or {}).items()
        if isinstance(asset, dict) and str(asset.get("href", "")).startswith("./")
    }
    dates = _dates(paths, (item.get("properties") or {}).get("alos2:dates") or ())
    metrics = _metrics(paths)
    found = {pol for date in dates for pol in date.layers}
    found |= {pol for by_pol in metrics.values() for pol in by_pol}
    pols = tuple(pol for pol in POLARIZATIONS if pol in found)
    pair = composite_pair(pols)
    layers = {one.name: one for one in _layers(dates, metrics, pols, pair)}
    name = str(item["id"])
    place = folder or name
    return StackProduct(name, item, etag, place, dates, metrics, pols, layers, paths)


def _layers(
    dates: Sequence[StackDate],
    metrics: Mapping[str, Mapping[str, str]],
    pols: Sequence[Polarization],
    pair: tuple[Polarization, Polarization] | None,
) -> Iterator[StackLayer]:
    """Yield the mean first: it has the least speckle, and all of the ground."""
    of_metrics = sorted(metrics.items(), key=lambda one: one[0] != MEAN)
    for kind, named in (("metric", of_metrics), ("date", [(d.name, d.layers) for d in dates])):
        for what, by_pol in named:
            if pair is not None and set(pair) <= set(by_pol) and (kind == "date" or what == MEAN):
                files = tuple(by_pol[pol] for pol in pair)
                yield StackLayer(f"{what}-{COMPOSITE}", _kind(kind), what, pair, files)
            for pol in pols:
                if pol in by_pol:
                    yield StackLayer(f"{what}-{pol}", _kind(kind), what, (pol,), (by_pol[pol],))


def _kind(word: str) -> Kind:
    return "date" if word == "date" else "metric"


def _dates(paths: Mapping[str, str], said: Sequence[Any]) -> tuple[StackDate, ...]:
    acquired = sorted(filter(None, (_time(str(text)) for text in said)))
    found: dict[str, dict[str, str]] = {}
    spans: dict[str, tuple[str, str]] = {}
    for path in paths:
        match = _DATE.fullmatch(path.rsplit("/", 1)[-1])
        if match is not None:
            found.setdefault(match["name"], {})[match["pol"]] = path
            spans[match["name"]] = (match["first"], match["last"] or match["first"])
    made = [StackDate(name, _times(*spans[name], acquired), own) for name, own in found.items()]
    return tuple(sorted(made, key=lambda date: (date.middle, date.name)))


def _times(first: str, last: str, acquired: Sequence[datetime]) -> tuple[datetime, ...]:
    """Return the acquisitions of a date by its name, or what the name itself says."""
    ends = tuple(dict.fromkeys((first, last)))
    own = [when for when in acquired if f"{when:%Y%m%dT%H%M%S}".startswith(ends)]
    if own:
        return tuple(own)
    said = tuple(when for when in map(_named, ends) if when is not None)
    return said or (datetime(1970, 1, 1, tzinfo=timezone.utc),)


def _named(text: str) -> datetime | None:
    """Return the time that a name says; None of what looks like one, but is none."""
    form = "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d"
    try:
        return datetime.strptime(text, form).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def _time(text: str) -> datetime | None:
    try:
        when = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=timezone.utc)


def _metrics(paths: Mapping[str, str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for path in paths:
        match = _METRIC.fullmatch(path.rsplit("/", 1)[-1])
        if match is not None and match["metric"] in LOOKS:
            found.setdefault(match["metric"], {})[match["pol"]] = path
    return {name: found[name] for name in LOOKS if name in found}
