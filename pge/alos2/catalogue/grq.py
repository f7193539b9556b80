"""HySDS's catalogue (GRQ): is a dataset there, and file it there; Elasticsearch 7, OpenSearch 2.

Plain REST calls that both know. Documents are written under their id with the sequence number that
was read, so that of two writers at once neither undoes the other half-way: one is told that the
document has changed meanwhile, and looks again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, Literal, Protocol, TypeAlias
from urllib.parse import quote

from alos2.catalogue import mapping
from alos2.catalogue.document import index_of
from alos2.catalogue.rest import Answer, Params
from alos2.errors import PublishFailed
from alos2.types import Json

log = logging.getLogger(__name__)

Outcome: TypeAlias = Literal["created", "unchanged", "updated", "present"]
"""What became of a document; ``present``: another one is there, and was to be left alone."""

_CONFLICT: Final = 409
_NOT_FOUND: Final = 404
_TURNS: Final = 20
"""How often another writer may be faster."""
_USERS: Final = "user_tags"
"""What people add in the catalogue's web page."""


class Requests(Protocol):
    """What makes the requests: `alos2.catalogue.rest.Rest`, or a client library in its place."""

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        params: Params | None = None,
        accept: tuple[int, ...] = (),
    ) -> Answer:
        """Make a request; raise PublishFailed for what is neither 2xx nor in `accept`."""


class GrqCatalogue:
    """The catalogue of a HySDS cluster.

    Parameters
    ----------
    rest : Requests
        Speaks to GRQ's Elasticsearch or OpenSearch; it stays open.
    alias : str
        GRQ's alias, and what the names of its indices begin with.
    visible_at_once : bool
        Whether `put` returns only when searches find the document (up to some seconds later).
    """

    def __init__(
        self, rest: Requests, *, alias: str = "grq", visible_at_once: bool = False
    ) -> None:
        self._rest = rest
        self._alias = alias
        self._visible = visible_at_once
        self._prepared: set[str] = set()

    def exists(self, dataset_id: str) -> bool:
        """Return whether a dataset is there, in whatever index.

        Raises
        ------
        PublishFailed
            The catalogue does not answer, or not completely.
        """
        query = {"bool": {"must": [{"term": {"_id": dataset_id}}]}}
        answer = self._ask(f"/{self._alias}/_count", {"query": query})
        return answer is not None and int(answer["count"]) > 0

    def holds(self, data_id: str) -> str | None:
        """Return the id of a dataset whose ``metadata.source.data_id`` is `data_id`, or None.

        Raises
        ------
        PublishFailed
            The catalogue does not answer, or not completely.
        """
        if not data_id:
            return None
        field = "metadata.source.data_id"
        answer = self._ask(
            f"/{self._alias}/_search",
            {
                "size": 20,
                "_source": ["id", field],
                # Under another mapping than ours the keyword may not be there, or not be needed.
                "query": {
                    "bool": {
                        "should": [
                            {"term": {f"{field}.keyword": data_id}},
                            {"term": {field: data_id}},
                        ],
                        "minimum_should_match": 1,
                    }
                },
                "sort": [{"creation_timestamp": {"order": "desc", "unmapped_type": "date"}}],
            },
        )
        hits: list[Json] = [] if answer is None else answer["hits"]["hits"]
        for hit in hits:
            if hit["_source"].get("metadata", {}).get("source", {}).get("data_id") == data_id:
                return str(hit["_id"])
        return None

    def ingest(self, document: Json) -> None:
        """File `document`, in place of an earlier one; doing so again changes nothing.

        Raises
        ------
        PublishFailed
            The catalogue does not take it.
        """
        outcome = self.put(document)
        log.info("%s: %s in %s", document["id"], outcome, index_of(document, self._alias))

    def put(self, document: Json, *, replace: bool | Callable[[Json], bool] = True) -> Outcome:
        """File `document` in the index of its dataset and version.

        Parameters
        ----------
        document : dict
            As `alos2.catalogue.document` makes it.
        replace : bool or callable
            Whether another document of this id is replaced; a callable is asked with that one.
            What is added to it in GRQ itself (tags of users, places) does not make it another one,
            and tags of users are kept.

        Raises
        ------
        PublishFailed
            The catalogue does not take it, with its reason.
        """
        index = index_of(document, self._alias)
        self.prepare(index)
        where = quote(str(document["id"]), safe="")
        params = {"refresh": "wait_for"} if self._visible else {}
        for _ in range(_TURNS):
            made = self._rest.call(
                "PUT",
                f"/{index}/_create/{where}",
                body=document,
                params=params,
                accept=(_CONFLICT,),
            )
            if made.status != _CONFLICT:
                return "created"
            there = self._rest.call("GET", f"/{index}/_doc/{where}", accept=(_NOT_FOUND,)).content
            if not there.get("found"):
                continue  # deleted between the two requests
            if _covers(there["_source"], document):
                return "unchanged"
            if not (replace(there["_source"]) if callable(replace) else replace):
                return "present"
            versions = {
                "if_seq_no": str(there["_seq_no"]),
                "if_primary_term": str(there["_primary_term"]),
            }
            changed = self._rest.call(
                "PUT",
                f"/{index}/_doc/{where}",
                body=_with_user_tags(document, there["_source"]),
                params={**params, **versions},
                accept=(_CONFLICT,),
            )
            if changed.status != _CONFLICT:
                return "updated"
        raise PublishFailed(
            f"others keep changing {document['id']} in {index}", hint="run the same command again"
        )

    def remove(self, document: Json) -> bool:
        """Take a document out again; return whether it was there.

        Raises
        ------
        PublishFailed
            The catalogue does not do it.
        """
        index = index_of(document, self._alias)
        where = quote(str(document["id"]), safe="")
        params = {"refresh": "wait_for"} if self._visible else {}
        answer = self._rest.call(
            "DELETE", f"/{index}/_doc/{where}", params=params, accept=(_NOT_FOUND,)
        )
        return answer.status != _NOT_FOUND

    def forget(
        self, dataset_id: str, is_ours: Callable[[Json], bool]
    ) -> Literal["removed", "absent", "left"]:
        """Take out what is filed under an id, in whatever index, as far as `is_ours` says so.

        Returns
        -------
        {"removed", "absent", "left"}
            ``left``: others' documents are all that is there.

        Raises
        ------
        PublishFailed
            The catalogue does not answer, or not do it.
        """
        query = {"bool": {"must": [{"term": {"_id": dataset_id}}]}}
        answer = self._ask(f"/{self._alias}/_search", {"size": 100, "_source": [], "query": query})
        hits: list[Json] = [] if answer is None else answer["hits"]["hits"]
        told = {self._forget_in(str(hit["_index"]), dataset_id, is_ours) for hit in hits}
        return "removed" if "removed" in told else "left" if "left" in told else "absent"

    def _forget_in(
        self, index: str, dataset_id: str, is_ours: Callable[[Json], bool]
    ) -> Literal["removed", "absent", "left"]:
        where = quote(dataset_id, safe="")
        params = {"refresh": "wait_for"} if self._visible else {}
        for _ in range(_TURNS):
            there = self._rest.call("GET", f"/{index}/_doc/{where}", accept=(_NOT_FOUND,)).content
            if not there.get("found"):
                return "absent"
            if not is_ours(there["_source"]):
                return "left"
            versions = {
                "if_seq_no": str(there["_seq_no"]),
                "if_primary_term": str(there["_primary_term"]),
            }
            gone = self._rest.call(
                "DELETE",
                f"/{index}/_doc/{where}",
                params={**params, **versions},
                accept=(_NOT_FOUND, _CONFLICT),
            )
            if gone.status != _CONFLICT:
                return "absent" if gone.status == _NOT_FOUND else "removed"
        raise PublishFailed(
            f"others keep changing {dataset_id} in {index}", hint="run the same command again"
        )

    def prepare(self, index: str) -> None:
        """See to it that `index` has, or will get, fields of the right types.

        The template is put only where there is none of its name: an operator's own stays.

        Raises
        ------
        PublishFailed
            The index is there and takes ``location`` for something else than a shape.
        """
        if index in self._prepared:
            return
        place = f"/_template/{mapping.template_name(self._alias)}"
        if self._rest.call("GET", place, accept=(_NOT_FOUND,)).status == _NOT_FOUND:
            # With ``create`` a second writer at the same time does not overwrite the first's.
            put = self._rest.call(
                "PUT",
                place,
                body=mapping.template(self._alias),
                params={"create": "true"},
                accept=(400,),
            )
            if put.status == 400 and "already exists" not in put.reason:
                raise PublishFailed(f"GRQ does not take the template for {index}: {put.reason}")
        made = self._rest.call("PUT", f"/{index}", accept=(400,))
        if made.status == 400 and made.kind not in (
            "resource_already_exists_exception",
            "index_already_exists_exception",
            "invalid_index_name_exception",
        ):
            raise PublishFailed(f"GRQ does not make the index {index}: {made.reason}")
        self._check(index)
        self._prepared.add(index)

    def _check(self, index: str) -> None:
        found = self._rest.call("GET", f"/{index}/_mapping").content
        types = {_type_of_location(one) for one in found.values()}
        if None in types:
            # Somebody made it without a template: its first document would teach it.
            self._rest.call("PUT", f"/{index}/_mapping", body=mapping.mappings())
        wrong = sorted(types - {"geo_shape", None}, key=str)
        if wrong:
            raise PublishFailed(
                f"the index {index} takes location for {', '.join(map(str, wrong))}",
                hint="index it anew under a mapping with location as geo_shape",
            )

    def _ask(self, path: str, body: Json) -> Any:
        """Search; None where there is no catalogue yet.

        A part of the index that does not answer must not look like a dataset that is not there.
        """
        answer = self._rest.call("POST", path, body=body, accept=(_NOT_FOUND,))
        content = answer.content
        if answer.status == _NOT_FOUND:
            if answer.kind == "index_not_found_exception":
                return None
            raise PublishFailed(
                f"there is no catalogue at GRQ's address (HTTP 404): {answer.reason}",
                hint="ALOS2_GRQ_URL has to be the address of its Elasticsearch or OpenSearch",
            )
        shards = content.get("_shards") if isinstance(content, dict) else None
        if not isinstance(shards, dict) or not ({"count", "hits"} & content.keys()):
            raise PublishFailed(
                "what answers at GRQ's address is no Elasticsearch or OpenSearch",
                hint="check ALOS2_GRQ_URL",
            )
        if shards.get("failed") or content.get("timed_out"):
            raise PublishFailed("a part of GRQ's index does not answer", hint="try again later")
        return content


def _type_of_location(index: Json) -> str | None:
    field = index.get("mappings", {}).get("properties", {}).get("location")
    return None if field is None else str(field.get("type", "an object"))


def _covers(stored: Json, wanted: Json) -> bool:
    """Whether `stored` says what `wanted` says; GRQ adds places to it, and people add tags."""
    metadata = stored.get("metadata")
    if isinstance(metadata, dict):
        own = {key: value for key, value in metadata.items() if key != _USERS}
        stored = {**stored, "metadata": own}
    return all(key in stored and stored[key] == value for key, value in wanted.items())


def _with_user_tags(document: Json, stored: Json) -> Json:
    metadata = stored.get("metadata")
    if not isinstance(metadata, dict) or _USERS not in metadata:
        return document
    return {**document, "metadata": {**document["metadata"], _USERS: metadata[_USERS]}}
