"""A catalogue as a static STAC catalogue: files that any web server, or none, can hand out.

``catalog.json``, a collection for each kind of dataset, an item for each dataset. Collections and
the catalogue are made by pystac; items are written one after the other, so that an archive of any
size needs little memory. The files of the datasets stay where they are: their hrefs lead there.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from alos2.archive.writing import writing_failed
from alos2.catalogue.embedded.query import Query
from alos2.dataset.jsontext import json_bytes
from alos2.errors import UsageError
from alos2.types import Json

if TYPE_CHECKING:
    from pystac import Collection

    from alos2.catalogue.embedded.catalogue import EmbeddedCatalogue

CATALOG_ID: Final = "alos2-archive"
_OTHERS: Final = "other"
_RELATIONS: Final = frozenset({"self", "root", "parent", "collection", "item", "child"})
_SUMMARIES: Final = (
    "platform", "constellation", "instruments", "sar:instrument_mode", "sar:polarizations",
    "sar:frequency_band", "sar:observation_direction", "sat:orbit_state", "processing:level",
    "product:type", "alos2:type", "alos2:level", "alos2:format",
)  # fmt: skip


@dataclass
class _Kind:
    """What a collection will say of its items."""

    links: list[Json] = field(default_factory=list)
    west: float = 180.0
    south: float = 90.0
    east: float = -180.0
    north: float = -90.0
    times: list[str] = field(default_factory=list)
    """The first and the last."""
    summaries: dict[str, set[Any]] = field(default_factory=lambda: defaultdict(set))

    def add(self, item: Json) -> None:
        """Let it hold another item."""
        said = item["properties"]
        west, south, east, north = item["bbox"]
        if west > east:  # across the antimeridian
            west, east = -180.0, 180.0
        self.west, self.south = min(self.west, west), min(self.south, south)
        self.east, self.north = max(self.east, east), max(self.north, north)
        first, last = (
            said.get(f"{name}_datetime") or said["datetime"] for name in ("start", "end")
        )
        self.times = [min([*self.times[:1], first]), max([*self.times[1:], last])]
        for name in _SUMMARIES:
            value = said.get(name)
            if value is not None:
                self.summaries[name].update(value if isinstance(value, list) else [value])


def export_stac(catalogue: EmbeddedCatalogue, out: Path, *, base_url: str | None = None) -> int:
    """Write all datasets as a static STAC catalogue; return how many.

    Parameters
    ----------
    catalogue : EmbeddedCatalogue
        An open one.
    out : Path
        A folder that is not there yet, or empty; it is there whole or not at all.
    base_url : str, optional
        Under which URL the archive can be fetched; else hrefs are relative paths to it.

    Raises
    ------
    UsageError
        Something is in `out` already.
    NoSpace, NoResource
        It cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty", hint="name a new folder for the STAC catalogue")
    fresh = out.absolute().with_name(f".{out.name}.new-{secrets.token_hex(4)}")
    kinds: dict[str, _Kind] = defaultdict(_Kind)
    count = 0
    try:
        fresh.mkdir(parents=True)
        for hit in catalogue.search(Query(sort=("id",))):
            item = hit.item
            kind = str(item["properties"].get("alos2:dataset") or _OTHERS)
            place = out.absolute() / kind / item["id"]
            _write(
                fresh / kind / item["id"] / f"{item['id']}.json",
                _placed(item, kind, _lead(catalogue.archive, hit.folder, place, base_url)),
            )
            kinds[kind].add(item)
            kinds[kind].links.append(_item_link(item))
            count += 1
        _write_heads(fresh, kinds)
        if out.exists():
            out.rmdir()
        fresh.rename(out)
    except OSError as error:
        raise writing_failed(out, error) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return count


def _lead(archive: Path, folder: Path, place: Path, base_url: str | None) -> str:
    """Return what leads from an item's place to its dataset's folder, with a final slash."""
    if base_url is not None:
        return f"{base_url.rstrip('/')}/{quote(folder.relative_to(archive).as_posix())}/"
    try:
        return f"{quote(Path(os.path.relpath(folder, place)).as_posix())}/"
    except ValueError:  # another drive of Windows
        return f"{folder.as_uri()}/"


def _placed(item: Json, kind: str, lead: str) -> Json:
    """Return the item as it stands in the static catalogue."""
    links = [
        {**link, "href": _led(str(link["href"]), lead)}
        for link in item.get("links") or ()
        if link.get("rel") not in _RELATIONS
    ]
    own = [
        {"rel": "root", "href": "../../catalog.json", "type": "application/json"},
        {"rel": "parent", "href": "../collection.json", "type": "application/json"},
        {"rel": "collection", "href": "../collection.json", "type": "application/json"},
    ]
    assets = {
        name: {**asset, "href": _led(str(asset["href"]), lead)}
        for name, asset in item["assets"].items()
    }
    return {**item, "collection": kind, "links": [*own, *links], "assets": assets}


def _led(href: str, lead: str) -> str:
    return href if "://" in href or href.startswith("/") else lead + href.removeprefix("./")


def _item_link(item: Json) -> Json:
    name = item["id"]
    return {
        "rel": "item",
        "href": f"./{quote(name)}/{quote(name)}.json",
        "type": "application/geo+json",
        "title": name,
    }


def _write_heads(fresh: Path, kinds: dict[str, _Kind]) -> None:
    from pystac import Catalog, MediaType  # noqa: PLC0415 - slow to import

    root = Catalog(
        CATALOG_ID, "ALOS-2/PALSAR-2 datasets of an archive.", title="ALOS-2/PALSAR-2 archive"
    )
    head = root.to_dict(include_self_link=False)
    head["links"] = [{"rel": "root", "href": "./catalog.json", "type": str(MediaType.JSON)}]
    for name, kind in sorted(kinds.items()):
        document = _collection(name, kind).to_dict(include_self_link=False)
        up = {"href": "../catalog.json", "type": str(MediaType.JSON)}
        document["links"] = [{"rel": "root", **up}, {"rel": "parent", **up}, *kind.links]
        _write(fresh / name / "collection.json", document)
        head["links"].append(
            {"rel": "child", "href": f"./{quote(name)}/collection.json",
             "type": str(MediaType.JSON), "title": name}
        )  # fmt: skip
    _write(fresh / "catalog.json", head)


def _collection(name: str, kind: _Kind) -> Collection:
    from pystac import (  # noqa: PLC0415 - slow to import
        Collection,
        Extent,
        Provider,
        ProviderRole,
        SpatialExtent,
        Summaries,
        TemporalExtent,
    )

    jaxa = Provider(
        "Japan Aerospace Exploration Agency (JAXA)",
        roles=[ProviderRole.PRODUCER, ProviderRole.PROCESSOR, ProviderRole.LICENSOR],
        url="https://www.eorc.jaxa.jp/ALOS-2/en/",
    )
    times = [datetime.fromisoformat(text.replace("Z", "+00:00")) for text in kind.times]
    return Collection(
        name,
        f"ALOS-2/PALSAR-2 datasets of kind {name}.",
        Extent(
            SpatialExtent([[kind.west, kind.south, kind.east, kind.north]]),
            TemporalExtent([[times[0], times[1]]]),
        ),
        title=name,
        license="other",
        keywords=["ALOS-2", "PALSAR-2", "SAR", "L-band"],
        providers=[jaxa],
        summaries=Summaries({key: sorted(values) for key, values in kind.summaries.items()}),
    )


def _write(path: Path, document: Json) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(json_bytes(document))
