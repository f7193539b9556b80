"""What the tests of schedulers share."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from alos2.cluster.model import JobStatus, Scheduler
from cluster.servers.fixtures import (  # noqa: F401
    gridengine_server,
    real_gridengine,
    real_slurm,
    slurm_server,
)

pytest.importorskip("psij", reason="psij-python is not installed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let those come last that look at what was begun before and takes its time."""
    items.sort(key=lambda item: getattr(getattr(item, "function", None), "looks_later", False))


@pytest.fixture(autouse=True)
def _no_scheduler_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QSUB_SYSTEM", "QUEUE", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


Ended = Callable[[Scheduler, str, Path], JobStatus]


@pytest.fixture
def ended() -> Ended:
    """Wait until a job has ended."""

    def wait(scheduler: Scheduler, native_id: str, folder: Path) -> JobStatus:
        until = time.monotonic() + 15
        while time.monotonic() < until:
            status = scheduler.status([(native_id, folder)])[native_id]
            if status.ended:
                return status
            time.sleep(0.05)
        raise AssertionError(f"job {native_id} has not ended: {status}")

    return wait
