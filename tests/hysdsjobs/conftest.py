"""A worker, and a cluster around it, for the jobs to run in."""

from __future__ import annotations

import json
import shutil
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from fakes.mozart import FakeMozart, Job
from fakes.service import Asked, Said, Service
from hysdsjobs.test_job_specs import JOBS, spec_of
from hysdsjobs.worker import TAG, Done, Worker, by_rest

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
        return Said(
            content={
                "timed_out": False,
                "_shards": shards,
                "hits": {"total": total, "hits": hits},
            }  # fmt: skip
        )


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that every user can enter, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="alos2-worker-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def scratch(place: Path) -> Path:
    """The container's /tmp: kept for a while, so that kernels are compiled once."""
    folder = place / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@pytest.fixture
def site(place: Path, scratch: Path, tmp_path: Path) -> Iterator[Site]:
    """A cluster without jobs; Mozart has nothing to complain about in the end."""
    root = place / tmp_path.name
    root.mkdir()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(root / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    specs = {f"job-{j}:{TAG}": [p["name"] for p in spec_of(j)["params"]] for j in JOBS}
    files = root / "files"
    files.mkdir()
    made: list[Site] = []
    with (
        FakeMozart(specs=specs, queues=(QUEUE,)) as mozart,
        Service(lambda asked: made[0].grq(asked)) as grq,
    ):
        celeryconfig = (
            "import os\n"
            f'MOZART_REST_URL = "{mozart.url}"\n'
            f'GRQ_ES_URL = "{grq.url}"\n'
            f'JOBS_ES_URL = "{mozart.index_url}"\n'
            'broker_url = "amqp://guest:planted-broker@" + os.environ.get("X", "nowhere")\n'
        )
        image = {
            "REQUESTS_CA_BUNDLE": str(root / "ca.pem"),
            "TMPDIR": str(scratch),
            "ALOS2_SARCAT": "off",
            "ALOS2_THREADS": "1",
            "ALOS2_TILE_BUDGET": "40",
            "LC_ALL": "C.UTF-8",
        }
        made.append(Site(Worker(root, celeryconfig, image), mozart, tls, files))
        yield made[0]
        assert mozart.complaints == []
    shutil.rmtree(root)
