"""A worker, and a cluster around it, for the jobs to run in."""

from __future__ import annotations

import os
import shutil
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from alos2.raster import jit
from fakes.mozart import FakeMozart
from fakes.service import Asked, Said, Service
from hysdsjobs.cluster import QUEUE, Site
from hysdsjobs.test_job_specs import JOBS, spec_of
from hysdsjobs.worker import TAG, Worker, give, job_user


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that every user can enter, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="alos2-worker-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def scratch(place: Path) -> Path:
    """The container's /tmp, with the kernels that an earlier job compiled: that takes seconds."""
    folder = place / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    assert jit.choose_cache()
    kept = Path(os.environ["NUMBA_CACHE_DIR"])
    earlier = folder / f"alos2-{job_user()}"
    shutil.copytree(kept, earlier / kept.name, ignore=shutil.ignore_patterns("*.tmp.*"))
    for path in (earlier, *earlier.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    give(earlier)
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

    def grq(asked: Asked) -> Said:
        return made[0].grq(asked)

    with (
        FakeMozart(specs=specs, queues=(QUEUE,)) as mozart,
        Service(grq) as index,
    ):
        celeryconfig = (
            "import os\n"
            f'MOZART_REST_URL = "{mozart.url}"\n'
            f'GRQ_ES_URL = "{index.url}"\n'
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
            "OPENBLAS_NUM_THREADS": "1",
        }
        made.append(Site(Worker(root, celeryconfig, image), mozart, tls, files))
        yield made[0]
        assert mozart.complaints == []
    shutil.rmtree(root)
