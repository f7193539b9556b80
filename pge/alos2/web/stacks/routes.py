"""Routes of finished stacks: their list, one of them, its tiles, and the series of a place."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from alos2.catalogue.search.model import MOST_ITEMS, Searchable
from alos2.errors import UsageError
from alos2.types import Json, LonLat
from alos2.web.answers import HttpError, document, is_known, json_document, not_found
from alos2.web.api.stacks import checked_number, told
from alos2.web.context import Context
from alos2.web.files import cache_control
from alos2.web.filters import asked, given_in_body, given_in_query
from alos2.web.layers import Place
from alos2.web.stacks.keys import catalogue_keys
from alos2.web.stacks.shelf import only_stacks
from alos2.web.tiles import EMPTY_PNG

if TYPE_CHECKING:
    from alos2.web.stacks.model import StackProduct

_DEEPEST: Final = 24
_ALL: Final = 1000


async def get_products(request: Request) -> Response:
    """Answer with the finished stacks among what matches, the latest first."""
    context = Context.of(request)
    body = await request.body() if request.method == "POST" else b""
    given = given_in_body(body) if body else given_in_query(request.query_params)
    search = only_stacks(asked({**given, "limit": _ALL}, dates=True, most=MOST_ITEMS).search)
    links = context.links(request)

    def answer(catalogue: Searchable) -> Response:
        from alos2.web.stacks.page import summary  # noqa: PLC0415 - see the shelf

        found = catalogue.search(search)
        items = [json.loads(text) for text in found.documents]
        told_ = [
            {**summary(item, links), "keys": catalogue_keys(item["properties"])} for item in items
        ]
        return json_document(request, {"products": told_, "complete": found.next is None})

    return await context.readers.ask(answer)


async def get_product(request: Request) -> Response:
    """Answer with all of a stack."""
    context, links = Context.of(request), Context.of(request).links(request)
    product = await _product(request)

    def made_of(catalogue: Searchable) -> list[Json]:
        found = []
        for key in catalogue_keys(product.item["properties"]):
            try:
                stack = told(key, catalogue)
            except HttpError:
                continue  # made of scenes that are not in this archive
            count = len(stack["scenes"])
            found.append({"key": stack["key"], "path": stack["path"], "frame": stack["frame"],
                          "count": count})  # fmt: skip
        return found

    stacks = await context.readers.ask(made_of)

    def answer() -> Response:
        from alos2.web.stacks.page import page  # noqa: PLC0415

        extents = context.stacks.limits.of(product)
        return json_document(request, page(product, extents, links, stacks))

    return await context.stacks.run(answer)


async def get_series(request: Request) -> Response:
    """Answer with the values of all dates and metrics at a place; as CSV if that is asked for."""
    context, query = Context.of(request), request.query_params
    product = await _product(request)
    place = LonLat(*(checked_number(query.get(name), name) for name in ("lon", "lat")))
    window = query.get("window", "1")
    if not re.fullmatch(r"[0-9]{1,2}", window):
        raise UsageError("window is a number of pixels: 1, 3, 5, 7, 9 or 11")
    as_table = request.url.path.endswith(".csv")

    def answer() -> Response:
        from alos2.web.stacks.series import Where, as_csv, series  # noqa: PLC0415

        found = series(context.stacks.rasters, product, Where(place, int(window)))
        if not as_table:
            return json_document(request, found)
        name = f"{product.id}_{place.lon_deg:.5f}_{place.lat_deg:.5f}.csv"
        body = as_csv(found).encode()
        made = document(request, body, "text/csv; charset=utf-8")
        made.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return made

    return await context.stacks.run(answer)


async def get_tile(request: Request) -> Response:
    """Answer with a tile of a layer, rows from the north; empty where it has nothing."""
    context = Context.of(request)
    place = Place(*(request.path_params[key] for key in "zxy"))
    product = await _product(request)
    name = request.path_params["layer"]
    layer = product.layer(name)
    side = 1 << min(place.zoom, _DEEPEST)
    if place.zoom > _DEEPEST or place.column >= side or place.row >= side:
        raise not_found(f"there is no tile {place.zoom}/{place.column}/{place.row}")

    def answer() -> Response:
        from alos2.web.stacks.drawing import drawn_square  # noqa: PLC0415
        from alos2.web.stacks.page import version_of  # noqa: PLC0415
        from alos2.web.stacks.rasters import sources_of  # noqa: PLC0415
        from alos2.web.stacks.sampling import Square  # noqa: PLC0415

        shelf = context.stacks
        files = shelf.rasters.etags(sources_of(product, layer))
        told_ = " ".join((version_of(product), name, *map(str, place), *files)).encode()
        digest = hashlib.blake2b(told_, digest_size=12, usedforsecurity=False).hexdigest()
        headers = {"ETag": f'"{digest}"', "Cache-Control": cache_control(request)}
        if is_known(request, headers["ETag"]):
            return Response(None, 304, headers)
        extents = shelf.limits.of(product)
        drawn = drawn_square(shelf.rasters, product, layer, Square.of(place), extents)
        return Response(EMPTY_PNG if drawn is None else drawn, 200, headers, "image/png")

    return await context.stacks.run(answer)


async def _product(request: Request) -> StackProduct:
    """Return the stack that a request names."""
    context = Context.of(request)
    dataset = request.path_params["dataset"]

    def find(catalogue: Searchable) -> StackProduct:
        return context.stacks.of(dataset, context.folder(catalogue, dataset))

    return await context.readers.ask(find)


ROUTES: Final = [
    Route("/api/stackproducts", get_products, methods=["GET", "POST"]),
    Route("/api/stackproducts/{dataset}", get_product),
    Route("/api/stackproducts/{dataset}/series", get_series),
    Route("/api/stackproducts/{dataset}/series.csv", get_series),
    Route("/stackproducts/{dataset}/tiles/{layer}/{z:int}/{x:int}/{y:int}.png", get_tile),
]
