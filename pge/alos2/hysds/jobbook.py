"""The jobs of a fan-out that Mozart knows already: a child's hash, its generations, their states.

HySDS takes a job for a copy of another, and drops it, if both have the same payload hash and the
other is queued, running or *completed* (``query_dedup_job`` of its ``utils.py``). That keeps two
fan-outs from doing the same work, and it would keep a dataset that was deleted from ever being made
again. So a child's hash is of the delivery's id and of a generation, which rises when the last
child has ended and its dataset is not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Final

from alos2.catalogue.rest import Rest
from alos2.errors import PublishFailed
from alos2.types import Json

LIVE: Final = frozenset({"job-queued", "job-started"})
"""States of a job that is still to do its work."""

DEDUPED: Final = "job-deduped"
"""State of a job that was dropped as a copy."""

_INDICES: Final = "job_status-current,job_failed"
"""HySDS moves failed jobs out of the first into the second."""

_GENERATION_DIGITS: Final = 4
_HASH_DIGITS: Final = 28
_LAST: Final = 16**_GENERATION_DIGITS - 1
_MOST: Final = 500


@dataclass(frozen=True)
class Child:
    """A job that Mozart knows."""

    id: str
    """What Mozart answered when it was submitted."""
    generation: int
    status: str
    when: datetime | None
    """Of its last change."""

    @property
    def live(self) -> bool:
        """Whether it is still to do its work."""
        return self.status in LIVE


def child_key(provider: str, data_id: str) -> str:
    """Return what the hashes of all children for one delivery begin with."""
    digest = hashlib.sha256(f"{provider}\n{data_id}".encode()).hexdigest()
    return digest[:_HASH_DIGITS]


def payload_hash(key: str, generation: int) -> str:
    """Return the hash of the child of a generation: 32 hexadecimal digits, as HySDS's own.

    Raises
    ------
    PublishFailed
        There were too many before it.
    """
    if not 0 <= generation <= _LAST:
        raise PublishFailed(f"there were {generation} jobs for one scene: something is wrong")
    return f"{key}{generation:0{_GENERATION_DIGITS}x}"


class JobIndex:
    """The index in which Mozart keeps its jobs: the one that HySDS itself looks for copies in.

    Parameters
    ----------
    rest : Rest
        Speaks to its Elasticsearch or OpenSearch; it stays open.
    """

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def children(self, key: str) -> list[Child]:
        """Return the jobs for one delivery, the latest generation first.

        Those that were dropped as copies are not among them: they did no work.

        Raises
        ------
        PublishFailed
            The index does not answer, or not completely.
        """
        content = self._rest.call(
            "POST",
            f"/{_INDICES}/_search",
            body={
                "size": _MOST,
                "_source": ["payload_hash", "status", "@timestamp"],
                "query": {
                    "bool": {
                        "must": [{"prefix": {"payload_hash": key}}],
                        "must_not": [{"term": {"status": DEDUPED}}],
                    }
                },
                "sort": [{"payload_hash": {"order": "desc", "unmapped_type": "keyword"}}],
            },
            params={"ignore_unavailable": "true", "allow_no_indices": "true"},
        ).content
        shards = content.get("_shards", {}) if isinstance(content, dict) else {}
        hits = content.get("hits", {}) if isinstance(content, dict) else {}
        if not isinstance(hits.get("hits"), list):
            raise PublishFailed(
                "what answers as the index of Mozart's jobs is no Elasticsearch or OpenSearch",
                hint="check ALOS2_JOBS_URL",
            )
        if shards.get("failed") or content.get("timed_out"):
            raise PublishFailed("a part of the index of Mozart's jobs does not answer")
        found = list(_children(hits["hits"], key))
        return sorted(found, key=lambda child: child.generation, reverse=True)


def _children(hits: list[Json], key: str) -> Iterator[Child]:
    for hit in hits:
        source = hit.get("_source", {})
        digits = str(source.get("payload_hash", "")).removeprefix(key)
        if len(digits) != _GENERATION_DIGITS:
            continue
        try:
            generation = int(digits, 16)
        except ValueError:
            continue
        status = str(source.get("status", ""))
        yield Child(str(hit.get("_id")), generation, status, _time(source.get("@timestamp")))


def _time(text: object) -> datetime | None:
    """Return HySDS's time: UTC with a Z, which Python before 3.11 does not know."""
    try:
        when = datetime.fromisoformat(str(text).removesuffix("Z"))
    except ValueError:
        return None
    return when.replace(tzinfo=timezone.utc) if when.tzinfo is None else when
