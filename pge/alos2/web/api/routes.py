"""Routes below ``/api``: what the page asks."""

from __future__ import annotations

import json
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from alos2 import __version__
from alos2.catalogue.search.model import (
    FACETS,
    MOST_ITEMS,
    MOST_ROWS,
    ROW,
    Search,
    Searchable,
)
from alos2.errors import UsageError
from alos2.types import Json, LonLat
from alos2.web.answers import json_document, not_found
from alos2.web.api.itempage import item_page
from alos2.web.api.pixel import Where, pixel
from alos2.web.api.stacks import checked_number, key_of_item, listed, told
from alos2.web.context import Context
from alos2.web.filters import asked, given_in_body, given_in_query
from alos2.web.security import is_same_site, may_change
from alos2.web.stacks.keys import is_made_of
from alos2.web.stacks.shelf import is_stack, only_stacks

_OWN_FILTER: Final = {"month": "datetime"}
"""The parameter that a facet's values go into, where it is not of the facet's name."""


async def get_rows(request: Request) -> Response:
    """Answer with short rows of what matches, newest first."""
    context = Context.of(request)
    given = await _given(request)
    search = asked(given, dates=True, most=MOST_ROWS).search

    def answer(catalogue: Searchable) -> Response:
        found = catalogue.rows(search)
        complete = found.next is None
        only = complete and search.token is None
        total = len(found.rows) if only else catalogue.count(search, ()).total
        body = {
            "total": total,
            "complete": complete,
            "next": found.next,
            "columns": list(ROW),
            "rows": found.rows,
        }
        return json_document(request, body)

    return await context.readers.ask(answer)


async def get_facets(request: Request) -> Response:
    """Answer with how many items match, and how many of each value of the facets.

    Each facet is counted without its own filter, so that its other values can be chosen too.
    """
    context = Context.of(request)
    given = await _given(request)
    wanted = request.query_params.get("facets")
    names = [name for name in wanted.split(",") if name] if wanted is not None else list(FACETS)
    search = asked(given, dates=True).search
    apart = [name for name in names if given.get(_OWN_FILTER.get(name, name))]
    others = [name for name in names if name not in apart]

    def answer(catalogue: Searchable) -> Response:
        counted = catalogue.count(search, others)
        facets = dict(counted.facets)
        for name in apart:
            facets[name] = catalogue.count(_without(given, name), [name]).facets[name]
        return json_document(
            request, {"total": counted.total, "facets": {name: facets[name] for name in names}}
        )

    return await context.readers.ask(answer)


async def get_item(request: Request) -> Response:
    """Answer with an item's page."""
    context = Context.of(request)
    name = request.path_params["item"]
    links = context.links(request)

    def answer(catalogue: Searchable) -> Response:
        item = _item(catalogue, name)
        return json_document(request, item_page(item, links, key_of_item(item)))

    return await context.readers.ask(answer)


async def get_stacks(request: Request) -> Response:
    """Answer with the stacks among what matches."""
    context = Context.of(request)
    search = asked({"limit": MOST_ROWS, **await _given(request)}, dates=True, most=MOST_ROWS).search

    def answer(catalogue: Searchable) -> Response:
        found = catalogue.rows(search)
        return json_document(
            request, {"stacks": listed(found.rows), "complete": found.next is None}
        )

    return await context.readers.ask(answer)


async def get_stack(request: Request) -> Response:
    """Answer with a stack, its scenes and their baselines."""
    context = Context.of(request)
    key = request.path_params["key"]

    def answer(catalogue: Searchable) -> Response:
        finished = catalogue.search(only_stacks(Search(limit=MOST_ITEMS))).documents
        items = [json.loads(text) for text in finished]
        made = [item["id"] for item in items if is_made_of(item["properties"], key)]
        return json_document(request, {**told(key, catalogue), "products": made})

    return await context.readers.ask(answer)


async def get_pixel(request: Request) -> Response:
    """Answer with the backscatter of a layer at a place."""
    context = Context.of(request)
    query = request.query_params
    dataset, layer = query.get("dataset", ""), query.get("layer", "")
    place = LonLat(*(checked_number(query.get(name), name) for name in ("lon", "lat")))

    def answer(catalogue: Searchable) -> Response:
        item = _item(catalogue, dataset)
        folder = context.folder(catalogue, dataset)
        if is_stack(item):
            return json_document(request, context.stacks.value(dataset, layer, place, folder))
        where = Where(context.files, context.layers, folder)
        return json_document(request, pixel(item, layer, place, where))

    return await context.readers.ask(answer)


async def get_session(request: Request) -> Response:
    """Answer with who is here, and what may be done."""
    context = Context.of(request)
    options = context.options
    may = is_same_site(request) and may_change(request, options)
    total = await context.readers.ask(lambda catalogue: catalogue.count(Search(), ()).total)
    return json_document(
        request,
        {
            "title": options.title,
            "version": __version__,
            "count": total,
            "may_change": may,
            "may_ingest": may and options.allow_ingest,
            "needs_token": options.token is not None,
            "allow_ingest": options.allow_ingest,
            "max_upload_bytes": options.max_upload_bytes,
            "basemaps": [one.to_json() for one in options.basemaps],
        },
    )


async def _given(request: Request) -> Json:
    """Return the parameters of a GET, or of the JSON of a POST."""
    if request.method == "POST":
        return given_in_body(await request.body())
    return given_in_query(request.query_params)


def _without(given: Json, facet: str) -> Search:
    name = _OWN_FILTER.get(facet, facet)
    return asked({key: value for key, value in given.items() if key != name}, dates=True).search


def _item(catalogue: Searchable, name: str) -> Json:
    text = catalogue.get(name) if name and "\0" not in name else None
    if text is None:
        raise not_found(f"there is no item {name[:80]!r}")
    item: Any = json.loads(text)
    if not isinstance(item, dict):
        raise UsageError(f"{name[:80]!r} is no item")
    return item


ROUTES: Final = [
    Route("/api/rows", get_rows, methods=["GET", "POST"]),
    Route("/api/search", get_rows, methods=["GET", "POST"]),
    Route("/api/facets", get_facets, methods=["GET", "POST"]),
    Route("/api/items/{item}", get_item),
    Route("/api/stacks", get_stacks, methods=["GET", "POST"]),
    Route("/api/stacks/{key}", get_stack),
    Route("/api/pixel", get_pixel),
    Route("/api/session", get_session),
]
