"""Routes of map tiles, whatever they lie in, and of thumbnails."""

from __future__ import annotations

import base64
import json
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from alos2.catalogue.search.model import Searchable
from alos2.web.answers import document, not_found
from alos2.web.archive import OpenFile
from alos2.web.context import Context
from alos2.web.files import cache_control, send_file
from alos2.web.layers import Place
from alos2.web.stacks.shelf import is_stack

EMPTY_PNG: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAQAAAAEAAQAAAAB0CZXLAAAAAnRSTlMAAHaTzTgAAAAfSURBVHja7cEBDQAAAMKg"
    "909tDjegAAAAAAAAAAC+DSEAAAFg5J2XAAAAAElFTkSuQmCC"
)
"""256 by 256 pixels, all of them transparent."""


async def get_tile(request: Request) -> Response:
    """Answer with a tile, rows from the north; where the layer has none, with an empty one."""
    context = Context.of(request)
    dataset, name = request.path_params["dataset"], request.path_params["layer"]
    place = Place(*(request.path_params[key] for key in "zxy"))

    def find(catalogue: Searchable) -> OpenFile | bytes | None:
        folder = context.folder(catalogue, dataset)
        layer = context.layers.of(dataset, folder).get(name)
        if layer is None or not layer.holds(place):
            raise not_found(f"dataset {dataset[:80]!r} has no such tile")
        return context.layers.tile(dataset, layer, place, folder)

    found = await context.readers.ask(find)
    if isinstance(found, OpenFile):
        return await send_file(request, context.readers, found)
    body = EMPTY_PNG if found is None else found
    return document(request, body, "image/png", cache=cache_control(request))


async def get_thumbnail(request: Request) -> Response:
    """Answer with the first small picture of a dataset."""
    context = Context.of(request)
    dataset = request.path_params["dataset"]

    def find(catalogue: Searchable) -> OpenFile | tuple[str, str | None]:
        folder, text = context.folder(catalogue, dataset), catalogue.get(dataset)
        for name in thumbnails(text):
            found = context.files.open_if_there(dataset, name, folder=folder)
            if found is not None:
                return found
        if text is not None and is_stack(json.loads(text)):
            return dataset, folder
        raise not_found(f"dataset {dataset[:80]!r} has no picture")

    found = await context.readers.ask(find)
    if isinstance(found, OpenFile):
        return await send_file(request, context.readers, found)
    drawn = await context.stacks.run(lambda: context.stacks.picture(*found))
    if drawn is None:
        raise not_found(f"dataset {dataset[:80]!r} has no picture")
    return document(request, drawn, "image/png", cache=cache_control(request))


def thumbnails(text: bytes | None) -> list[str]:
    """Return the names of the small pictures of an item."""
    if text is None:
        return []
    assets = json.loads(text).get("assets") or {}
    return [
        str(asset.get("href", "")).removeprefix("./")
        for asset in assets.values()
        if "thumbnail" in (asset.get("roles") or ())
    ]


ROUTES: Final = [
    Route("/tiles/{dataset}/{layer}/{z:int}/{x:int}/{y:int}.png", get_tile),
    Route("/thumbnails/{dataset}", get_thumbnail),
]
