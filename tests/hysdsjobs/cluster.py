"""What is around a worker: Mozart, GRQ, and the queue from which jobs come."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from fakes.mozart import FakeMozart, Job
from fakes.service import Asked, Said
from hysdsjobs.payload import by_rest
from hysdsjobs.worker import TAG, Done, Worker

QUEUE = "alos2-worker"


@dataclass
class Site:
    """A worker that may be told where portals are, in a cluster with Mozart and GRQ."""

    worker: Worker
    mozart: FakeMozart
    tls: ssl.SSLContext
    folder: Path
    """For files that jobs may read."""
    catalogued: dict[str, str] = field(default_factory=dict)
    """Datasets that GRQ holds, by their source's data id."""

    def environment(self, **more: str) -> None:
        """Set what the jobs' container has in its environment besides the cluster's."""
        self.worker.image |= more

    def child(self, job: Job) -> Done:
        """Run a job that Mozart was given, as the orchestrator would."""
        name, _, tag = job.form["type"].removeprefix("job-").partition(":")
        assert tag == TAG
        payload = by_rest(
            name,
            job.params,
            tag=json.loads(job.form["tags"])[0],
            priority=int(job.form["priority"]),
            payload_hash=job.payload_hash,
            username=job.form["username"],
        )
        done = self.worker.run(payload)
        self.mozart.end(job, done.status)
        for dataset in done.datasets:
            self.catalogued[done.met(dataset)["source"]["data_id"]] = dataset
        return done

    def grq(self, asked: Asked) -> Said:
        """Answer the one question of a fan-out: which dataset is made of this."""
        (wanted,) = {
            value
            for clause in json.loads(asked.body)["query"]["bool"]["should"]
            for value in clause["term"].values()
        }
        hits = [
            {"_id": dataset, "_source": {"metadata": {"source": {"data_id": data_id}}}}
            for data_id, dataset in self.catalogued.items()
            if data_id == wanted
        ]
        shards = {"total": 1, "successful": 1, "failed": 0}
        total = {"value": len(hits), "relation": "eq"}
        found = {"total": total, "hits": hits}
        return Said(content={"timed_out": False, "_shards": shards, "hits": found})
