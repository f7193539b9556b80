"""A job's directory as HySDS makes it, a fake Mozart and things to ingest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from alos2.catalogue import Rest, RestOptions
from alos2.hysds.fanout import MozartFanOut, Terms
from alos2.hysds.jobbook import JobIndex
from alos2.hysds.mozart import Mozart
from fakes.mozart import FakeMozart
from fakes.service import Said, Service

JOB = "job-ingest_alos2_sentinelasia:v1.2"
PARAMS = ["data_id", "eor_id", "start_date", "end_date", "queue"]
QUEUE = "alos2-worker"
QUICK = RestOptions(backoff_s=0.01, silence_s=1.0)


@dataclass(frozen=True)
class Item:
    """What a portal has; as ``alos2.sources.portals.model.Item``."""

    data_id: str | None = "JPJXisis0001201908160001"
    provider: str = "sentinel-asia"
    id: str = "JPJXisis0001201908160001"
    title: str = "Flood in nowhere"
    order_id: str | None = None
    eor_id: str | None = "ERAHAC000007"


@dataclass
class Held:
    """A catalogue in memory."""

    datasets: dict[str, str] = field(default_factory=dict)

    def holds(self, data_id: str) -> str | None:
        return self.datasets.get(data_id)


def context(**more: Any) -> dict[str, Any]:
    """Return what a worker writes into ``_context.json`` of a fan-out."""
    return {
        "job_specification": {
            "id": JOB,
            "params": [{"name": name, "destination": "context"} for name in PARAMS],
        },
        "eor_id": "ERAHAC000007",
        "start_date": "",
        "queue": QUEUE,
        "job_priority": 5,
        "tag": "kyushu flood",
        "username": "ops",
        **more,
    }


@dataclass
class Cluster:
    """A fake Mozart, a catalogue, and fan-outs over them."""

    mozart: FakeMozart
    held: Held
    rests: list[Rest] = field(default_factory=list)

    def fan_out(
        self,
        *,
        index: bool = True,
        catalogue: bool = True,
        options: RestOptions = QUICK,
        **terms: Any,
    ) -> MozartFanOut:
        rest = Rest("Mozart", self.mozart.url, options)
        jobs = Rest("the index of Mozart's jobs", self.mozart.index_url, options)
        self.rests += [rest, jobs]
        return MozartFanOut(
            Mozart(rest, wait_s=0.01),
            Terms(terms.pop("context", context()), **terms),
            catalogue=self.held if catalogue else None,
            jobs=JobIndex(jobs) if index else None,
        )

    def submit(self, item: Item | None = None, **more: Any) -> str:
        """Let a new fan-out submit one item; return its line."""
        return str(self.fan_out(**more).submit(item or Item(), queue=QUEUE))


@pytest.fixture
def context_text() -> str:
    """``_context.json`` of a fan-out."""
    return json.dumps(context())


@pytest.fixture
def empty_grq() -> Iterator[str]:
    """Address of a catalogue in which nothing was ever filed."""
    error = {"type": "index_not_found_exception", "reason": "no such index [grq]"}
    with Service(lambda asked: Said(404, {"error": error, "status": 404})) as service:
        yield service.url


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A cluster without a job; its Mozart has nothing to complain about in the end."""
    with FakeMozart(specs={JOB: PARAMS}) as mozart:
        made = Cluster(mozart, Held())
        yield made
        for rest in made.rests:
            rest.close()
        assert mozart.complaints == []
