"""Routes below ``/stac``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from alos2.catalogue.search.model import Collected, Page, Searchable
from alos2.types import Json
from alos2.web.answers import (
    GEOJSON,
    JSON,
    OPENAPI,
    SCHEMA,
    document,
    json_document,
    not_found,
    to_json,
)
from alos2.web.context import Context
from alos2.web.filters import Asked, from_body, from_query
from alos2.web.stac.conformance import CONFORMANCE
from alos2.web.stac.links import Links, link
from alos2.web.stac.openapi import api_page, openapi
from alos2.web.stac.pages import collection, landing, queryables
from alos2.web.stac.render import chosen, full, rendered

_ITEMS_PARAMETERS: Final = ("f",)


async def get_landing(request: Request) -> Response:
    """Answer with the landing page."""
    context = Context.of(request)
    found = await context.readers.ask(lambda catalogue: catalogue.collections())
    return json_document(request, landing(context.options.title, found, context.links(request)))


async def get_conformance(request: Request) -> Response:
    """Answer with what the API conforms to."""
    return json_document(request, {"conformsTo": list(CONFORMANCE)})


async def get_api(request: Request) -> Response:
    """Answer with the OpenAPI definition."""
    context = Context.of(request)
    return json_document(
        request, openapi(context.options.title, context.links(request).root), OPENAPI
    )


async def get_api_page(request: Request) -> Response:
    """Answer with the same for people."""
    context = Context.of(request)
    page = api_page(context.options.title, context.links(request).root)
    return document(request, page.encode(), "text/html; charset=utf-8")


async def get_collections(request: Request) -> Response:
    """Answer with all collections."""
    context = Context.of(request)
    from_query(request.query_params, strict=True)
    links = context.links(request)
    found = await context.readers.ask(lambda catalogue: catalogue.collections())
    here = f"{links.root}/collections"
    return json_document(
        request,
        {
            "collections": [collection(one, links) for one in found],
            "links": [link("self", here, JSON), link("root", links.root, JSON)],
            "numberMatched": len(found),
            "numberReturned": len(found),
        },
    )


async def get_collection(request: Request) -> Response:
    """Answer with one collection."""
    context = Context.of(request)
    one = await _collection(request)
    return json_document(request, collection(one, context.links(request)))


async def get_queryables(request: Request) -> Response:
    """Answer with the properties to filter by, of all or of one collection."""
    context = Context.of(request)
    links = context.links(request)
    address, title = f"{links.root}/queryables", context.options.title
    if "collection" in request.path_params:
        one = await _collection(request)
        address, title = f"{links.collection(one.id)}/queryables", one.id
    return json_document(request, queryables(address, title), SCHEMA)


async def get_items(request: Request) -> Response:
    """Answer with items of one collection."""
    context = Context.of(request)
    one = await _collection(request)
    asked = from_query(request.query_params, strict=True, also=_ITEMS_PARAMETERS)
    asked = replace(asked, search=replace(asked.search, collections=(one.id,)))
    here = context.links(request).items(one.id)
    return await _found(request, asked, _get_next(request, here), here)


async def get_item(request: Request) -> Response:
    """Answer with one item."""
    context = Context.of(request)
    name, home = request.path_params["item"], request.path_params["collection"]
    links = context.links(request)

    def answer(catalogue: Searchable) -> bytes:
        text = catalogue.get(name)
        body = None if text is None else rendered(name, text, links)
        if body is None or not _is_in(body, home, name, links):
            raise not_found(f"collection {home[:80]!r} has no item {name[:80]!r}")
        return body

    return document(request, await context.readers.ask(answer), GEOJSON)


async def get_search(request: Request) -> Response:
    """Answer a search by GET."""
    here = Context.of(request).links(request).search
    asked = from_query(request.query_params)
    return await _found(request, asked, _get_next(request, here), here)


async def post_search(request: Request) -> Response:
    """Answer a search by POST."""
    here = Context.of(request).links(request).search
    body = await request.body()
    asked = from_body(body)
    given = json.loads(body) if body.strip() else {}

    def following(token: str) -> Json:
        return {
            **link("next", here, GEOJSON),
            "method": "POST",
            "body": {**given, "token": token},
            "merge": False,
        }

    return await _found(request, asked, following, here)


async def _found(
    request: Request, asked: Asked, following: Callable[[str], Json], here: str
) -> Response:
    context = Context.of(request)
    links = context.links(request)

    def answer(catalogue: Searchable) -> Response:
        page = catalogue.search(asked.search)
        return document(request, feature_collection(page, asked, links, following, here), GEOJSON)

    return await context.readers.ask(answer)


def feature_collection(
    page: Page, asked: Asked, links: Links, following: Callable[[str], Json], here: str
) -> bytes:
    """Return a page of items as a GeoJSON FeatureCollection."""
    if asked.fields is None:
        named = zip(page.ids, page.documents, strict=True)
        features = [rendered(name, text, links) for name, text in named]
    else:
        whole = (full(json.loads(text), links) for text in page.documents)
        features = [to_json(chosen(item, asked.fields)) for item in whole]
    more: Json = {
        "links": [
            link("self", here, GEOJSON),
            link("root", links.root, JSON),
            *([] if page.next is None else [following(page.next)]),
        ],
        "numberReturned": len(features),
    }
    if page.matched is not None:
        more["numberMatched"] = page.matched
    body = b'{"type":"FeatureCollection","features":[' + b",".join(features) + b"],"
    return body + to_json(more)[1:]


def _get_next(request: Request, here: str) -> Callable[[str], Json]:
    def following(token: str) -> Json:
        given = [(k, v) for k, v in request.query_params.multi_items() if k != "token"]
        query = urlencode([*given, ("token", token)])
        return {**link("next", f"{here}?{query}", GEOJSON), "method": "GET"}

    return following


async def _collection(request: Request) -> Collected:
    name = request.path_params["collection"]
    found: Sequence[Collected] = await Context.of(request).readers.ask(
        lambda catalogue: catalogue.collections()
    )
    for one in found:
        if one.id == name:
            return one
    raise not_found(f"there is no collection {name[:80]!r}")


def _is_in(body: bytes, collection_name: str, name: str, links: Links) -> bool:
    """Whether a rendered item is that of a collection: its own address says so."""
    return to_json(links.item(collection_name, name)) in body


ROUTES: Final = [
    Route("/stac/search", get_search, methods=["GET"]),
    Route("/stac/search", post_search, methods=["POST"]),
    Route("/stac", get_landing),
    Route("/stac/", get_landing),
    Route("/stac/conformance", get_conformance),
    Route("/stac/api", get_api),
    Route("/stac/api.html", get_api_page),
    Route("/stac/queryables", get_queryables),
    Route("/stac/collections", get_collections),
    Route("/stac/collections/{collection}", get_collection),
    Route("/stac/collections/{collection}/queryables", get_queryables),
    Route("/stac/collections/{collection}/items", get_items),
    Route("/stac/collections/{collection}/items/{item}", get_item),
]
