"""What the page is told of finished stacks: a line of each in a list, and all of one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from alos2 import __version__
from alos2.animation.metrics import LOOKS
from alos2.catalogue.search.times import utc_text
from alos2.types import Json
from alos2.web.api.itempage import files
from alos2.web.stac.links import Links
from alos2.web.stac.render import collection_of
from alos2.web.stacks.drawing import legend, title_of, unit_of
from alos2.web.stacks.limits import Extents
from alos2.web.stacks.model import StackDate, StackLayer, StackProduct
from alos2.web.stacks.parameters import parameter_groups

_PICTURES: Final = (
    (".blink.gif", "blink", "First and last date, in turn"),
    (".gif", "animation", "All dates, one after the other"),
    (".before-after.png", "pair", "First and last date"),
    (".browse.png", "overview", "Mean over time"),
)


def summary(item: Json, links: Links) -> Json:
    """Return a stack as a list shows it."""
    said = item.get("properties") or {}
    tracks = said.get("alos2:tracks") or []
    name = str(item["id"])
    return {
        "id": name,
        "kind": said.get("alos2:kind"),
        "title": heading(said),
        "tracks": tracks,
        "path": said.get("alos2:path"),
        "frames": said.get("alos2:frames") or [],
        "mode": said.get("sar:instrument_mode"),
        "look": said.get("alos2:look"),
        "pass": said.get("alos2:pass"),
        "off_nadir_deg": said.get("alos2:off_nadir_deg"),
        "polarizations": said.get("sar:polarizations") or [],
        "dates": len(said.get("alos2:dates") or ()),
        "start": said.get("start_datetime"),
        "end": said.get("end_datetime"),
        "metrics": _metric_names(said.get("alos2:metrics")),
        "created": said.get("created"),
        "bbox": item.get("bbox"),
        "thumbnail": f"{links.base}/thumbnails/{quote(name, safe='')}",
    }


def heading(said: Json) -> str:
    """Return a stack in some words: ``Path 128 · frame 0690``, ``Mosaic of paths 128, 129``."""
    paths = list(dict.fromkeys(str(track)[1:4].lstrip("0") for track in said["alos2:tracks"]))
    frames = said.get("alos2:frames") or []
    if said.get("alos2:kind") == "mosaic":
        return f"Mosaic of {'paths' if len(paths) > 1 else 'path'} {', '.join(paths)}"
    ends = list(dict.fromkeys((*frames[:1], *frames[-1:])))
    return f"Path {said.get('alos2:path')} · frame{'s' * (len(ends) > 1)} {'–'.join(ends)}"


def page(
    product: StackProduct, extents: Extents, links: Links, catalogue_stacks: Sequence[Json]
) -> Json:
    """Return all of a stack.

    Parameters
    ----------
    product : StackProduct
    extents : Extents
        Between which values it is coloured.
    links : Links
    catalogue_stacks : sequence of Json
        Those of scenes that it was made of: ``key`` and ``title``.
    """
    item, said = product.item, product.item["properties"]
    collection = collection_of(item)
    return {
        **summary(item, links),
        "description": said.get("description"),
        "geometry": item.get("geometry"),
        "polarizations": list(product.polarizations),
        "without": said.get("alos2:without") or [],
        "groups": parameter_groups(said),
        "dates": [_date(one, product) for one in product.dates],
        "metrics": list(_metrics(product, links)),
        "layers": [_layer(one, product, extents, links) for one in product.layers.values()],
        "pictures": _pictures(product, links),
        "files": files(item, links),
        "stacks": list(catalogue_stacks),
        "stac": links.item(collection, product.id),
    }


def version_of(product: StackProduct) -> str:
    """Return what stands in the addresses of tiles: another stack or renderer is another one."""
    told = f"{product.etag} {__version__}".encode()
    return hashlib.blake2b(told, digest_size=8, usedforsecurity=False).hexdigest()


def _metric_names(said: Any) -> list[str]:
    named = {name for names in said.values() for name in names} if isinstance(said, dict) else set()
    return [name for name in LOOKS if name in named]


def _date(date: StackDate, product: StackProduct) -> Json:
    """Return a date, its layers and the scenes of its days."""
    days = {f"-{when:%y%m%d}-" for when in date.times}
    scenes = product.item["properties"].get("alos2:scenes") or ()
    return {
        "name": date.name,
        "title": date.title,
        "time": utc_text(date.middle),
        "times": [utc_text(when) for when in date.times],
        "layers": _layers_of(product, "date", date.name),
        "scenes": [str(scene) for scene in scenes if any(day in str(scene) for day in days)],
    }


def _metrics(product: StackProduct, links: Links) -> Iterator[Json]:
    base = links.files(product.id)
    pictures = {PurePosixPath(path).name: path for path in product.assets if path.endswith(".png")}
    for name, by_pol in product.metrics.items():
        drawn = {pol: pictures.get(f"bs.{pol}.{name}.png") for pol in by_pol}
        yield {
            "name": name,
            "title": LOOKS[name].title,
            "unit": LOOKS[name].unit,
            "layers": _layers_of(product, "metric", name),
            "pictures": {pol: base + quote(path) for pol, path in drawn.items() if path},
        }


def _layers_of(product: StackProduct, kind: str, what: str) -> dict[str, str]:
    """Return names of layers by polarisation, or ``RGB``."""
    return {
        name.rsplit("-", 1)[-1]: name
        for name, layer in product.layers.items()
        if (layer.kind, layer.what) == (kind, what)
    }


def _layer(layer: StackLayer, product: StackProduct, extents: Extents, links: Links) -> Json:
    """Return a layer as the map shows it; the same keys as those of scenes, and more."""
    dataset, colours = quote(product.id, safe=""), legend(layer, extents)
    date = next((d for d in product.dates if layer.kind == "date" and d.name == layer.what), None)
    shows = layer.name.rsplit("-", 1)[-1]
    return {
        "name": layer.name,
        "title": f"{date.title if date else title_of(layer)} {shows}",
        "kind": layer.kind,
        "what": layer.what,
        "shows": shows,
        "unit": unit_of(layer),
        "url": f"{links.base}/stackproducts/{dataset}/tiles/{quote(layer.name, safe='')}"
        f"/{{z}}/{{x}}/{{y}}.png?v={version_of(product)}",
        "scheme": "xyz",
        "min_zoom": 0,
        "max_zoom": product.max_zoom,
        "native_zoom": product.max_zoom,
        "bounds": list(product.bounds),
        "channels": colours.get("channels") or [],
        "legend": colours if colours["kind"] == "bar" else None,
        "notes": [],
    }


def _pictures(product: StackProduct, links: Links) -> list[Json]:
    base = links.files(product.id)
    made: dict[str, Json] = {}
    for path in product.assets:
        for end, kind, title in _PICTURES:
            if path.endswith(end):
                made.setdefault(kind, {"kind": kind, "title": title, "href": base + quote(path)})
                break
    return [made[kind] for _, kind, _ in sorted(_PICTURES, key=_order) if kind in made]


def _order(one: tuple[str, str, str]) -> int:
    return ("animation", "pair", "blink", "overview").index(one[1])
