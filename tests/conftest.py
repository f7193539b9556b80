"""What every test shares: no network but loopback, no footprint catalogue, real data by consent."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fakes.opensearch import UnavailableError, shared_node

# A shell that starts a job in the background has it ignore Ctrl-C, and its children with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Each command would start threads for linear algebra, of which it does next to none.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_SLOW = (
    "ard/test_scene.py",
    "campaigns/",
    "catalogue/test_node.py",
    "catalogue/test_publish_node.py",
    "cli/test_bad_input_cli.py",
    "cli/test_cli.py",
    "cli/test_cold_start.py",
    "cli/test_demo_portals.py",
    "cli/test_demo_stack.py",
    "cluster/test_gridengine_real.py",
    "cluster/test_slurm_real.py",
    "gekko/",
    "hysds/test_node.py",
    "hysdsjobs/test_worker.py",
    "jobs/test_crash.py",
    "jobs/test_downloads.py",
    "jobs/test_portal_signals.py",
    "pge/",
    "publish/test_command.py",
    "publish/test_faults.py",
    "publish/test_killed.py",
    "publish/test_stores.py",
    "raster/test_layers.py",
    "raster/test_lookpass.py",
    "raster/test_quicklook.py",
    "raster/test_simulated.py",
    "scan/test_campaign.py",
    "scan/test_flow.py",
    "scan/test_scan_on_",
    "scan/test_worker",
    "simulate/test_pixels.py",
    "simulate/test_run.py",
    "simulate/test_stack.py",
    "simulate/test_terrain.py",
    "sources/portals/",
    "sources/test_faults.py",
    "stack/test_cli_run.py",
    "stack/test_dataset.py",
    "stack/test_pge_job.py",
    "stack/test_resume.py",
    "stack/test_spread.py",
    "stack/test_stack_on_slurm.py",
    "stack/test_truth.py",
    "web/test_serve.py",
)
"""Tests of whole commands, servers, stores and whole pictures: not unit tests, and slow."""


_APART = (
    "campaigns/",
    "cli/test_demo_stack.py",
    "hysdsjobs/test_worker.py",
    "publish/test_faults.py",
    "publish/test_killed.py",
    "stack/test_pge_job.py",
    "stack/test_resume.py",
    "stack/test_spread.py",
    "stack/test_stack_on_slurm.py",
    "test_benchmarks.py",
    "web/browser/",
)
"""What `make test` leaves to `make test-more`, to end in time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow (the unit tests leave it out), and what is left to `make test-more`."""
    here = Path(__file__).parent
    for item in items:
        path = item.path.relative_to(here).as_posix()
        if path.startswith(_SLOW):
            item.add_marker(pytest.mark.slow)
        if path.startswith(_APART):
            item.add_marker(pytest.mark.apart)


@pytest.fixture(autouse=True)
def _quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what a user's environment could change, and every way out of this machine."""
    for name in list(os.environ):
        if name.startswith("ALOS2_") and name != "ALOS2_REAL_DATA":
            monkeypatch.delenv(name)
    monkeypatch.setenv("ALOS2_SARCAT", "off")
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _no_secrets_of_others() -> Iterator[None]:
    """Forget a test's passwords: the next test's texts may hold the same words."""
    yield
    hidden = sys.modules.get("alos2.dataset.hidden")
    if hidden is not None:
        hidden.forget()


@pytest.fixture(autouse=True)
def _no_logging_of_others() -> Iterator[None]:
    """Undo what a command sets up for its process: it may write to a stream that is closed."""
    alos2, factory, hook = (
        logging.getLogger("alos2"),
        logging.getLogRecordFactory(),
        threading.excepthook,
    )
    before = (alos2.handlers[:], alos2.level, alos2.propagate)
    yield
    alos2.handlers[:], alos2.level, alos2.propagate = before
    logging.setLogRecordFactory(factory)
    threading.excepthook = hook


@pytest.fixture(scope="session")
def node_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running OpenSearch node."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    try:
        with shared_node(shared / "opensearch") as url:
            yield url
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real JAXA metadata files, read in place."""
    named = os.environ.get("ALOS2_REAL_DATA")
    if not named or not Path(named).is_dir():
        pytest.skip("ALOS2_REAL_DATA names no folder of real data")
    return Path(named)


@dataclass(frozen=True)
class Deliveries:
    """Simulated deliveries, made once a session; nobody may write into them."""

    slc: Path
    """L1.1 CEOS in AUIG2's nested zips."""
    geotiff: Path
    """L2.1 GeoTIFF in AUIG2's nested zips."""
    slc_id: str
    geotiff_id: str
    slc_dir: Path
    """The same as a folder."""
    geotiff_dir: Path


@pytest.fixture(scope="session")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Deliveries:
    """One small delivery of each kind."""
    from alos2.simulate import SimulationSpec, simulate

    where = tmp_path_factory.mktemp("deliveries")
    slc = simulate(
        SimulationSpec(level="1.1", pixels=96, lines=128, seed=3, zip="auig2"), where / "slc"
    )
    tif = simulate(
        SimulationSpec(
            level="2.1", format="geotiff", pixels=160, lines=150, seed=4, zip="auig2", mode="UBS"
        ),
        where / "tif",
    )
    assert slc.archive is not None
    assert tif.archive is not None
    return Deliveries(
        slc.archive,
        tif.archive,
        f"{slc.scene}-{slc.product}",
        f"{tif.scene}-{tif.product}",
        slc.product_dir,
        tif.product_dir,
    )
