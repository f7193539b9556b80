"""Any STAC API behind the protocol of `model.Searchable` (STAC API v1.0.0, Item Search)."""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from alos2.catalogue.rest import Answer, Rest, RestOptions
from alos2.catalogue.search import cql2
from alos2.catalogue.search.model import (
    FACETS,
    MOST_ITEMS,
    ROW,
    Collected,
    Counted,
    Page,
    Rows,
    Search,
)
from alos2.catalogue.search.shown import shown_item
from alos2.catalogue.search.times import from_unix_us, interval, utc_text
from alos2.catalogue.trust import trust_for
from alos2.errors import PublishFailed, UsageError
from alos2.types import Json, Logins, no_login

_NOT_FOUND: Final = 404
_BAD_REQUEST: Final = 400
_MOST_COUNTED: Final = 10_000
"""Items that are fetched to be counted, where the other side does not count."""


class RemoteSearch:
    """Searches a STAC API.

    Parameters
    ----------
    address : str
        Of its landing page.
    logins : callable, optional
        Gives the login for its host.
    """

    def __init__(self, address: str, logins: Logins = no_login) -> None:
        options = RestOptions(trust=trust_for("STAC"), logins=logins)
        self._rest = Rest("the STAC API", address, options)

    def search(self, search: Search) -> Page:
        """See `model.Searchable.search`."""
        found = self._page(search)
        items = found["features"]
        matched = found.get("numberMatched", (found.get("context") or {}).get("matched"))
        return Page(
            tuple(str(item["id"]) for item in items),
            tuple(_text(item) for item in items),
            self._next(found),
            matched if isinstance(matched, int) else None,
        )

    def rows(self, search: Search) -> Rows:
        """See `model.Searchable.rows`."""
        found = self._page(replace(search, limit=min(search.limit, MOST_ITEMS)))
        return Rows([shown_item(item) for item in found["features"]], self._next(found))

    def get(self, item_id: str) -> bytes | None:
        """See `model.Searchable.get`."""
        items = self._page(Search(ids=(item_id,), limit=1))["features"]
        return _text(items[0]) if items else None

    def folder_of(self, item_id: str) -> str | None:  # noqa: ARG002
        """See `model.Searchable.folder_of`: the items' files lie elsewhere."""
        return None

    def collections(self) -> Sequence[Collected]:
        """See `model.Searchable.collections`."""
        content = self._rest.call("GET", "/collections").content
        given = content.get("collections") if isinstance(content, dict) else None
        if not isinstance(given, list):
            raise PublishFailed("the STAC API does not list its collections")
        return sorted((_collected(one) for one in given), key=lambda one: one.id)

    def count(self, search: Search, facets: Sequence[str]) -> Counted:
        """See `model.Searchable.count`; facets are those of the first 10,000 items."""
        strange = [name for name in facets if name not in FACETS]
        if strange:
            raise UsageError(f"nothing is counted by {strange[0][:40]!r}")
        tallies: dict[str, Counter[str]] = {name: Counter() for name in facets}
        if not facets:
            matched = self.search(replace(search, limit=1, token=None)).matched
            if matched is not None:
                return Counted(matched, {})
        total = 0
        for item in self._all(search):
            total += 1
            for name in facets:
                tallies[name].update(_values(name, item))
        return Counted(total, {name: dict(tally.most_common()) for name, tally in tallies.items()})

    def close(self) -> None:
        """See `model.Searchable.close`."""
        self._rest.close()

    def _all(self, search: Search) -> Iterator[Json]:
        asked = replace(search, limit=MOST_ITEMS, token=None)
        seen = 0
        while True:
            found = self._page(asked)
            yield from found["features"]
            seen += len(found["features"])
            token = self._next(found)
            if token is None or seen >= _MOST_COUNTED or not found["features"]:
                return
            asked = replace(asked, token=token)

    def _page(self, search: Search) -> Json:
        if search.token is None:
            answer = self._call("POST", "/search", body_of(search))
        else:
            answer = self._call(*_step(search.token))
        content = answer.content
        if not isinstance(content, dict) or not isinstance(content.get("features"), list):
            raise PublishFailed("the STAC API does not answer with items")
        return content

    def _call(self, method: str, path: str, body: Json | None) -> Answer:
        if method == "GET":
            parts = urlsplit(path)
            params = dict(parse_qsl(parts.query, keep_blank_values=True))
            answer = self._rest.call("GET", parts.path, params=params, accept=(_BAD_REQUEST,))
        else:
            answer = self._rest.call("POST", path, body=body or {}, accept=(_BAD_REQUEST,))
        if answer.status == _BAD_REQUEST:
            said = answer.content if isinstance(answer.content, dict) else {}
            raise UsageError(f"the STAC API refuses: {said.get('description', answer.reason)}")
        return answer

    def _next(self, found: Json) -> str | None:
        """Return the next page's link as a token; only addresses below the API's own are."""
        for link in found.get("links") or ():
            href = link.get("href") if isinstance(link, dict) else None
            if not isinstance(href, str) or link.get("rel") != "next":
                continue
            parts, own = urlsplit(href), urlsplit(self._rest.url)
            is_below = parts.path.startswith(f"{own.path}/")
            if (parts.scheme, parts.netloc) != (own.scheme, own.netloc) or not is_below:
                raise PublishFailed("the STAC API's next page is at another address")
            path = parts.path[len(own.path) :] + (f"?{parts.query}" if parts.query else "")
            step = [link.get("method", "GET").upper(), path, link.get("body")]
            text = json.dumps(step, separators=(",", ":"))
            return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        return None


def body_of(search: Search) -> Json:
    """Return a search as the body of a POST."""
    body: Json = {"limit": search.limit}
    if search.ids:
        body["ids"] = list(search.ids)
    if search.collections:
        body["collections"] = list(search.collections)
    if search.bbox is not None:
        body["bbox"] = list(search.bbox)
    if search.intersects is not None:
        body["intersects"] = search.intersects
    if search.start is not None or search.end is not None:
        ends = (".." if end is None else utc_text(end) for end in (search.start, search.end))
        body["datetime"] = "/".join(ends)
    if search.text:
        body["q"] = search.text
    tags = None
    if search.tags:
        args = [cql2.prop("alos2:tags"), list(search.tags)]
        tags = {"op": "a_contains", "args": args}
    wanted = cql2.together(search.filter, tags)
    if wanted is not None:
        body |= {"filter": wanted, "filter-lang": "cql2-json"}
    body["sortby"] = [
        {"field": key.name, "direction": "desc" if key.descending else "asc"} for key in search.sort
    ]
    return body


def _step(token: str) -> tuple[str, str, Json | None]:
    try:
        method, path, body = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, TypeError, binascii.Error) as error:
        raise UsageError("the token of the page is not one of ours") from error
    if method not in ("GET", "POST") or not str(path).startswith("/") or ".." in str(path):
        raise UsageError("the token of the page is not one of ours")
    return method, str(path), body if isinstance(body, dict) else None


def _collected(one: Json) -> Collected:
    extent = one.get("extent") or {}
    boxes = (extent.get("spatial") or {}).get("bbox") or [[-180.0, -90.0, 180.0, 90.0]]
    box = [float(side) for side in boxes[0]]
    if len(box) == 6:
        box = [*box[:2], *box[3:5]]
    times = ((extent.get("temporal") or {}).get("interval") or [[None, None]])[0]
    start = None if times[0] is None else interval(str(times[0])).start
    end = None if times[1] is None else interval(str(times[1])).end
    said = {
        name: [str(value) for value in values]
        for name, values in (one.get("summaries") or {}).items()
        if isinstance(values, list)
    }
    return Collected(str(one["id"]), 0, (box[0], box[1], box[2], box[3]), start, end, said)


def _values(name: str, item: Json) -> list[str]:
    row: dict[str, Any] = dict(zip(ROW, shown_item(item), strict=True))
    if name == "pol":
        return str(row["pols"]).split()
    if name == "tag":
        return [str(tag) for tag in (item.get("properties") or {}).get("alos2:tags") or ()]
    if name == "month":
        return [] if row["t"] is None else [from_unix_us(row["t"] * 1000).strftime("%Y-%m")]
    value = row[name]
    if value is None:
        return []
    return [f"{value:g}" if isinstance(value, float) else str(value)]


def _text(item: Json) -> bytes:
    return json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode()
