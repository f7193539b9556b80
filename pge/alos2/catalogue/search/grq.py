"""HySDS's catalogue (GRQ) behind the protocol of `model.Searchable`."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, Final

from alos2.catalogue.grq import Requests
from alos2.catalogue.rest import Rest, RestOptions
from alos2.catalogue.search.elasticfilter import box, elastic, place, within_time
from alos2.catalogue.search.grqfields import FACET_FIELDS, FIELDS, field_of, item_of
from alos2.catalogue.search.model import Collected, Counted, Page, Rows, Search, SortKey
from alos2.catalogue.search.shown import shown_item
from alos2.catalogue.search.times import from_unix_us
from alos2.catalogue.trust import trust_for
from alos2.errors import PublishFailed, UsageError
from alos2.types import Json, Logins, no_login

_NOT_FOUND: Final = 404
_MOST_VALUES: Final = 500
"""Of one facet."""
_MOST_PAGE: Final = 10_000
"""Elasticsearch refuses longer ones (index.max_result_window)."""
_ALL_BOX: Final = (-180.0, -90.0, 180.0, 90.0)


def grq_search(address: str, logins: Logins = no_login) -> GrqSearch:
    """Return a search of the GRQ at an address."""
    return GrqSearch(Rest("GRQ", address, RestOptions(trust=trust_for("GRQ"), logins=logins)))


class GrqSearch:
    """Searches GRQ.

    Parameters
    ----------
    rest : Requests
        Speaks to its Elasticsearch or OpenSearch.
    alias : str, optional
        Its alias.
    """

    def __init__(self, rest: Requests, *, alias: str = "grq") -> None:
        self._rest = rest
        self._alias = alias

    def search(self, search: Search) -> Page:
        """See `model.Searchable.search`."""
        found = self._found(search)
        items = [item_of(hit["_source"]) for hit in found["hits"]["hits"][: search.limit]]
        total = found["hits"]["total"]
        return Page(
            tuple(item["id"] for item in items),
            tuple(_text(item) for item in items),
            _next(found, search),
            total["value"] if total["relation"] == "eq" else None,
        )

    def rows(self, search: Search) -> Rows:
        """See `model.Searchable.rows`."""
        found = self._found(search)
        hits = found["hits"]["hits"][: search.limit]
        return Rows([shown_item(item_of(hit["_source"])) for hit in hits], _next(found, search))

    def get(self, item_id: str) -> bytes | None:
        """See `model.Searchable.get`."""
        found = self._ask({"size": 1, "query": {"term": {"_id": item_id}}})
        hits = found["hits"]["hits"]
        return _text(item_of(hits[0]["_source"])) if hits else None

    def folder_of(self, item_id: str) -> str | None:  # noqa: ARG002
        """See `model.Searchable.folder_of`: GRQ's datasets lie elsewhere."""
        return None

    def collections(self) -> Sequence[Collected]:
        """See `model.Searchable.collections`."""
        counted = {
            "aggs": {
                "dataset": {
                    "terms": {"field": FIELDS["collection"].name, "size": _MOST_VALUES},
                    "aggs": {
                        "start": {"min": {"field": "starttime"}},
                        "end": {"max": {"field": "endtime"}},
                        "mode": {"terms": {"field": FIELDS["sar:instrument_mode"].name}},
                    },
                }
            }
        }
        found = self._ask({"size": 0, "query": {"match_all": {}}, **counted})
        buckets = (found.get("aggregations") or {}).get("dataset", {}).get("buckets", ())
        return sorted((_collected(bucket) for bucket in buckets), key=lambda one: one.id)

    def count(self, search: Search, facets: Sequence[str]) -> Counted:
        """See `model.Searchable.count`."""
        asked: Json = {}
        for name in facets:
            if name == "month":
                asked[name] = {
                    "date_histogram": {
                        "field": FIELDS["datetime"].name,
                        "calendar_interval": "month",
                        "format": "yyyy-MM",
                        "min_doc_count": 1,
                    }
                }
            elif name in FACET_FIELDS:
                field = field_of(FACET_FIELDS[name])
                asked[name] = {"terms": {"field": field.name, "size": _MOST_VALUES}}
            else:
                raise UsageError(f"nothing is counted by {name[:40]!r}")
        found = self._ask(
            {"size": 0, "track_total_hits": True, "query": _query(search), "aggs": asked}
        )
        said = found.get("aggregations") or {}
        return Counted(
            found["hits"]["total"]["value"],
            {name: _tally(name, said.get(name, {}).get("buckets", ())) for name in facets},
        )

    def close(self) -> None:
        """See `model.Searchable.close`."""
        if isinstance(self._rest, Rest):
            self._rest.close()

    def _found(self, search: Search) -> Json:
        body: Json = {
            "size": min(search.limit, _MOST_PAGE - 1) + 1,
            "query": _query(search),
            "sort": _sort(search.sort),
        }
        if search.token is not None:
            body["search_after"] = _after(search.token)
        return self._ask(body)

    def _ask(self, body: Json) -> Json:
        """Search; nothing is found where there is no catalogue yet.

        Raises
        ------
        PublishFailed
            A part of the index does not answer, or it is no Elasticsearch.
        """
        answer = self._rest.call("POST", f"/{self._alias}/_search", body=body, accept=(_NOT_FOUND,))
        content = answer.content
        if answer.status == _NOT_FOUND and answer.kind == "index_not_found_exception":
            return {"hits": {"hits": [], "total": {"value": 0, "relation": "eq"}}}
        if answer.status == _NOT_FOUND or not isinstance(content, dict) or "hits" not in content:
            raise PublishFailed(
                "what answers at GRQ's address is no Elasticsearch or OpenSearch",
                hint="check its address",
            )
        if content.get("_shards", {}).get("failed") or content.get("timed_out"):
            raise PublishFailed("a part of GRQ's index does not answer", hint="try again later")
        return content


def _query(search: Search) -> Json:
    parts: list[Json] = []
    if search.ids:
        parts.append({"terms": {"_id": list(search.ids)}})
    if search.collections:
        parts.append({"terms": {FIELDS["collection"].name: list(search.collections)}})
    if search.bbox is not None:
        parts.append(box(*search.bbox))
    if search.intersects is not None:
        parts.append(place(search.intersects))
    time = within_time(search.start, search.end)
    if time is not None:
        parts.append(time)
    if search.text:
        parts.append({"simple_query_string": {"query": search.text, "default_operator": "and"}})
    parts += [
        {"term": {FIELDS["alos2:tags"].name: {"value": tag, "case_insensitive": True}}}
        for tag in search.tags
    ]
    if search.filter is not None:
        parts.append(elastic(search.filter))
    return {"bool": {"filter": parts}} if parts else {"match_all": {}}


def _sort(keys: Sequence[SortKey]) -> list[Json]:
    made: list[Json] = []
    down = False
    for key in keys:
        down = key.descending
        # Older documents know only when it began.
        name = "starttime" if key.name.endswith("datetime") else field_of(key.name).name
        made.append({name: {"order": "desc" if down else "asc", "missing": "_last"}})
    return [*made, {FIELDS["id"].name: {"order": "desc" if down else "asc"}}]


def _next(found: Json, search: Search) -> str | None:
    hits = found["hits"]["hits"]
    if len(hits) <= search.limit:
        return None
    text = json.dumps(hits[search.limit - 1]["sort"], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _after(token: str) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error) as error:
        raise UsageError("the token of the page is not one of ours") from error
    if not isinstance(values, list):
        raise UsageError("the token of the page is not one of ours")
    return values


def _tally(name: str, buckets: Sequence[Json]) -> dict[str, int]:
    if name == "month":
        return {str(one["key_as_string"]): int(one["doc_count"]) for one in buckets}
    field = field_of(FACET_FIELDS[name])
    return {f"{_plain(field.said(one['key']))}": int(one["doc_count"]) for one in buckets}


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _collected(bucket: Json) -> Collected:
    ends = [bucket[name].get("value") for name in ("start", "end")]
    start, end = (None if value is None else from_unix_us(int(value) * 1000) for value in ends)
    modes = sorted(str(one["key"]) for one in bucket["mode"]["buckets"])
    # Elasticsearch gives no bounds of shapes; the whole earth is never wrong.
    return Collected(
        str(bucket["key"]), int(bucket["doc_count"]), _ALL_BOX, start, end,
        {"sar:instrument_mode": modes} if modes else {},
    )  # fmt: skip


def _text(item: Json) -> bytes:
    return json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode()
