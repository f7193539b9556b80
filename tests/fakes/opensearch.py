"""A real OpenSearch 2 node for the tests: one for all workers of a test run, on loopback.

Its artifacts come from Maven's public repository into ``~/.m2``. Whoever enters first starts it,
and the last to leave stops it; it also ends when the test run does.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parents[1] / "opensearch"
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath"
JVM = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
DOWNLOAD_S = 420
START_S = 120


class UnavailableError(Exception):
    """There can be no node here; the text says why, on one line."""


@contextlib.contextmanager
def shared_node(folder: Path) -> Iterator[str]:
    """Yield the address of a node that is shared by all who name the same `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    lease = folder / f"lease-{os.getpid()}"
    with _locked(folder):
        url = _running(folder) or _start(folder)
        lease.touch()
    try:
        yield url
    finally:
        with _locked(folder):
            lease.unlink(missing_ok=True)
            if not list(folder.glob("lease-*")):
                (folder / "url").unlink(missing_ok=True)
                for data in folder.glob("node-*"):
                    (data / "stop").touch()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _running(folder: Path) -> str | None:
    refused = folder / "unavailable"
    if refused.exists():
        raise UnavailableError(refused.read_text())
    noted = folder / "url"
    return noted.read_text() if noted.exists() else None


def _start(folder: Path) -> str:
    try:
        url = _started(folder)
    except UnavailableError as error:
        (folder / "unavailable").write_text(str(error))
        raise
    (folder / "url").write_text(url)
    return url


def _started(folder: Path) -> str:
    java = shutil.which("java")
    if java is None:
        raise UnavailableError("there is no java for an OpenSearch node")
    jars = classpath()
    data = folder / f"node-{time.time_ns()}"
    data.mkdir()
    port, transport = _free_port(), _free_port()
    # Workers of pytest-xdist are children of the one process that sees the whole run.
    master = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    arguments = [HERE / "Node.java", data, port, transport, data / "stop", master]
    begun = time.monotonic()
    with (folder / "node.log").open("w") as log:
        process = subprocess.Popen(
            [java, *JVM, "-cp", jars, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    while time.monotonic() - begun < START_S:
        if process.poll() is not None:
            raise UnavailableError(f"the OpenSearch node ended at once, see {folder / 'node.log'}")
        if _answers(url):
            (folder / "seconds").write_text(f"{time.monotonic() - begun:.1f}")
            # It outlives this function on purpose.
            process.returncode = 0
            return url
        time.sleep(0.2)
    process.kill()
    process.wait()
    raise UnavailableError(f"the OpenSearch node did not start within {START_S} s")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_cluster/health", timeout=2) as reply:
            return json.loads(reply.read())["status"] in ("green", "yellow")
    except (OSError, urllib.error.URLError, ValueError):
        return False


def classpath() -> str:
    """Return the artifacts' paths; Maven is asked only if one of them is missing."""
    pom = HERE / "pom.xml"
    digest = hashlib.sha256(pom.read_bytes()).hexdigest()[:16]
    noted = Path.home() / ".m2" / f"alos2-opensearch-{digest}.classpath"
    if noted.exists():
        known = noted.read_text().strip()
        if all(Path(jar).exists() for jar in known.split(os.pathsep)):
            return known
    maven = shutil.which("mvn")
    if maven is None:
        raise UnavailableError("there is no mvn to fetch an OpenSearch node with")
    fresh = noted.with_suffix(f".{os.getpid()}")
    fresh.parent.mkdir(parents=True, exist_ok=True)
    command = [maven, "-q", "-B", "-f", str(pom), PLUGIN, f"-Dmdep.outputFile={fresh}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=DOWNLOAD_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError("Maven's repository did not deliver OpenSearch in time") from error
    if done.returncode != 0 or not fresh.exists():
        last = (done.stdout + done.stderr).strip().splitlines()[:1]
        raise UnavailableError(f"Maven could not fetch OpenSearch: {' '.join(last)[:200]}")
    fresh.replace(noted)
    return noted.read_text().strip()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
