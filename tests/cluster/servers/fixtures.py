"""Fixtures: a real Slurm and a real Grid Engine, one of each for a whole test run."""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

pytest.register_assert_rewrite("cluster.servers.behaviours", "cluster.servers.scanning")

_START_SECONDS = 60.0
_TESTS = Path(__file__).parents[2]


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers of this test run share."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def _keeper(name: str, shared: Path) -> dict[str, object]:
    """Return what a new keeper says."""
    said = shared / f"{name}.json"
    with (shared / f"{name}-keeper.out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "cluster.servers.keeper", name, str(shared)],
            env={**os.environ, "PYTHONPATH": str(_TESTS)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and not said.exists():
        if process.poll() is not None and not said.exists():
            words = (shared / f"{name}-keeper.out").read_text("utf-8", "replace")
            return {"problem": f"its keeper ended: {words.strip()[-300:]}"}
        time.sleep(0.05)
    if not said.exists():
        process.terminate()
        return {"problem": f"it did not start within {_START_SECONDS:.0f} s"}
    # It ends by itself, with its last user: nobody waits for it here.
    process.returncode = 0
    return json.loads(said.read_text())  # type: ignore[no-any-return]


def _join(name: str, shared: Path) -> tuple[dict[str, str], socket.socket] | str:
    """Return how a scheduler is reached and the connection that holds it; or why not."""
    said = shared / f"{name}.json"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for _ in range(2):
            answer = json.loads(said.read_text()) if said.exists() else _keeper(name, shared)
            if "problem" in answer:
                said.write_text(json.dumps(answer))
                return str(answer["problem"])
            hold = socket.socket(socket.AF_UNIX)
            try:
                hold.connect(str(answer["keeper"]))
            except OSError:
                # The workers that shared it have all ended meanwhile.
                hold.close()
                said.unlink()
            else:
                return answer["environment"], hold
    return "its keeper is not there"


@contextlib.contextmanager
def _running(name: str, factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    server = importlib.import_module(f"cluster.servers.{name}")
    lacking = server.missing()
    if lacking is not None:
        pytest.skip(f"no real {name}: {lacking}")
    joined = _join(name, shared_folder(factory))
    if isinstance(joined, str):
        message = f"{name} is installed and does not start: {joined}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    environment, hold = joined
    with hold:
        yield environment


@pytest.fixture(scope="session")
def slurm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """What the environment of a client of the real Slurm holds."""
    with _running("slurm", tmp_path_factory) as environment:
        yield environment


@pytest.fixture(scope="session")
def gridengine_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """What the environment of a client of the real Grid Engine holds."""
    with _running("gridengine", tmp_path_factory) as environment:
        yield environment


@pytest.fixture
def real_slurm(slurm_server: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this test and its child processes speak to the real Slurm."""
    for name in [name for name in os.environ if name.startswith(("SLURM_", "SBATCH_", "SQUEUE_"))]:
        monkeypatch.delenv(name)
    for name, value in slurm_server.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def real_gridengine(gridengine_server: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this test and its child processes speak to the real Grid Engine."""
    for name in [name for name in os.environ if name.startswith("SGE_")]:
        monkeypatch.delenv(name)
    for name, value in gridengine_server.items():
        monkeypatch.setenv(name, value)
