"""The document under which HySDS's catalogue (GRQ) knows a dataset.

What HySDS makes of a dataset's folder (``ingest_to_object_store`` of its
``dataset_ingest_bulk.py``) and what GRQ adds to it (``reverse_geolocation`` of grq2's
``datasets.py``), as public code has it in August 2026. The differences: ``center`` of a footprint
that is cut at the antimeridian lies in the scene and not on the other side of the Earth; ``city``
and ``continent`` need GRQ's gazetteer and are left out, as GRQ does where it has none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from shapely.errors import ShapelyError
from shapely.geometry import shape

from alos2.errors import BadDocument
from alos2.geometry.rings import centroid
from alos2.types import Json

_TOOLTIP: Final = re.compile(r"(.+)\.browse\.png")
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z?")
_HALF_A_DAY_S: Final = 43200


class Filing(Protocol):
    """As what a rule of ``datasets.json`` files a dataset."""

    @property
    def ipath(self) -> str:
        """HySDS's ``<namespace>::data/<dataset>``."""

    @property
    def type(self) -> str:
        """Type of the dataset."""

    @property
    def level(self) -> str:
        """Level of the dataset."""


class Place(Protocol):
    """Where something was published."""

    @property
    def urls(self) -> tuple[str, ...]:
        """URLs under which it is listed."""


class Placement(Protocol):
    """What the rules said about a dataset."""

    @property
    def filing(self) -> Filing:
        """As what it is filed."""

    @property
    def publish(self) -> Place:
        """Where the dataset is."""

    @property
    def browse(self) -> Place | None:
        """Where its small browse pictures are besides."""


class Published(Protocol):
    """A dataset that lies where others can get it; what `alos2.publish` returns is one."""

    @property
    def id(self) -> str:
        """Of the dataset."""

    @property
    def placement(self) -> Placement:
        """What the rules said."""

    @property
    def documents(self) -> Mapping[str, Json]:
        """Its own ``dataset`` and ``met`` documents."""

    @property
    def browse(self) -> tuple[str, ...]:
        """Names of its large browse pictures, in the order in which they are shown."""


def document_of(published: Published) -> Json:
    """Return the catalogue's document of a published dataset.

    Raises
    ------
    BadDocument
        Its documents are not what they have to be.
    """
    placement = published.placement
    browse = placement.browse
    return grq_document(
        published.id,
        published.documents["dataset"],
        published.documents["met"],
        ipath=placement.filing.ipath,
        level=placement.filing.level,
        dataset_type=placement.filing.type,
        urls=placement.publish.urls,
        browse_urls=() if browse is None else browse.urls,
        browse=() if browse is None else published.browse,
    )


def grq_document(
    dataset_id: str,
    dataset: Json,
    met: Json,
    *,
    ipath: str,
    level: str,
    dataset_type: str,
    urls: Sequence[str] = (),
    browse_urls: Sequence[str] = (),
    browse: Sequence[str] = (),
) -> Json:
    """Return the document that GRQ would hold of a dataset.

    Parameters
    ----------
    dataset_id : str
        Name of the dataset's folder.
    dataset, met : dict
        Content of its dataset.json and met.json.
    ipath, level, dataset_type : str
        Of the rule in datasets.json that matches it.
    urls, browse_urls : sequence of str
        Where it and its small browse pictures are; none of them holds a credential.
    browse : sequence of str
        Names of the large browse pictures; HySDS lists them only where the rule has a place for
        the small ones.

    Returns
    -------
    dict
        With keys of its own; nothing is shared with what was given.

    Raises
    ------
    BadDocument
        The documents are not what they have to be.
    """
    for key in ("version", "location", "starttime", "endtime"):
        if key not in dataset:
            raise BadDocument(f"{dataset_id}.dataset.json has no {key}")
    name = _dataset_of(ipath)
    document: Json = {
        "id": dataset_id,
        "objectid": dataset_id,
        "metadata": _copy(met),
        "dataset": name,
        "ipath": ipath,
        "system_version": dataset["version"],
        "dataset_level": level,
        "dataset_type": dataset_type,
        "urls": list(urls),
        "browse_urls": list(browse_urls),
        "images": [_image(name) for name in browse],
        "prov": {},
        **_copy(dataset),
        "grq_index_result": {"index": None},
    }
    location = document["location"]
    try:
        longitude, latitude = _center(location)
    except (KeyError, TypeError, ValueError, IndexError, ShapelyError) as error:
        raise BadDocument(f"the location of {dataset_id} is no outline: {error}") from error
    document["center"] = {"type": "point", "coordinates": [longitude, latitude]}
    location["type"] = location["type"].lower()
    document["temporal_span"] = _span_days(dataset_id, document["starttime"], document["endtime"])
    return document


def index_of(document: Json, prefix: str = "grq") -> str:
    """Return the name of the index that a document belongs in: ``grq_<version>_<dataset>``."""
    return f"{prefix}_{document['version']}_{document['dataset']}".lower()


def _dataset_of(ipath: str) -> str:
    parts = ipath.split("/")
    if len(parts) < 2 or not parts[1]:
        raise BadDocument(
            f"the ipath {ipath!r} names no dataset", hint="it has to be <namespace>::data/<dataset>"
        )
    return parts[1]


def _image(name: str) -> Json:
    tooltip = _TOOLTIP.fullmatch(name)
    return {
        "img": name,
        "small_img": name.replace("browse.png", "browse_small.png"),
        "tooltip": tooltip[1] if tooltip else "",
    }


def _center(location: Json) -> tuple[float, float]:
    """Return longitude and latitude: of the plane's centroid, as GRQ has it, if that is right."""
    if location["type"] == "MultiPolygon":
        middle = centroid(location)
        return middle.lon_deg, middle.lat_deg
    point = shape(location).centroid
    return float(point.x), float(point.y)


def _span_days(dataset_id: str, start: str, end: str) -> int:
    """Return GRQ's ``temporal_span``: whole days, half a day rounded up, seconds cut off."""
    first, last = (_second(dataset_id, text) for text in (start, end))
    span = abs(last - first)
    return span.days + (span.seconds >= _HALF_A_DAY_S)


def _second(dataset_id: str, text: str) -> datetime:
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise BadDocument(f"{dataset_id}.dataset.json has {text!r} for a time")
    return datetime.fromisoformat(f"{found[1]}+00:00")


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value
