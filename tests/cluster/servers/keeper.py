"""Keeps one scheduler running for as long as somebody holds a connection to it.

    python -m cluster.servers.keeper slurm SHARED_FOLDER

The workers of a test run share one keeper: each connects to its socket, and the kernel closes the
connection of a worker that ends, however it ends. With the last one the daemons are killed, their
jobs with them, and the folder goes.
"""

from __future__ import annotations

import importlib
import json
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cluster.servers.daemons import NotStartedError, adopt_orphans, kill_descendants, reap

_NOBODY_CAME_S = 30.0
_REAP_S = 0.1
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _stop(*_: object) -> None:
    # The second signal must not end the tidying up.
    for number in _STOPPING:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(1)


def _say(shared: Path, name: str, said: dict[str, object]) -> None:
    part = shared / f"{name}.json.part"
    part.write_text(json.dumps(said))
    part.rename(shared / f"{name}.json")


def _serve(listener: socket.socket) -> None:
    """Return when the last connection is closed, or when nobody comes at all."""
    came, latest = False, time.monotonic() + _NOBODY_CAME_S
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            reap()
            for key, _ in selector.select(_REAP_S):
                if key.fileobj is listener:
                    selector.register(listener.accept()[0], selectors.EVENT_READ)
                elif not key.fileobj.recv(64):  # type: ignore[union-attr]
                    selector.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]
            held = len(selector.get_map()) > 1
            came = came or held
            if not held and (came or time.monotonic() > latest):
                return


def keep(name: str, shared: Path) -> None:
    """Start a scheduler, say how it is reached, and end it with its last user."""
    server = importlib.import_module(f"cluster.servers.{name}")
    for number in _STOPPING:
        signal.signal(number, _stop)
    adopt_orphans()
    # Sockets have short names; a test's own folder may be deep.
    folder = Path(tempfile.mkdtemp(prefix=f"a2-{name[:4]}-", dir="/tmp"))
    # munged refuses a socket that others could not reach.
    folder.chmod(0o711)
    logs = shared / f"{name}-logs"
    logs.mkdir(exist_ok=True)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(folder / "keeper"))
            listener.listen()
            try:
                _, environment = server.start(folder, logs)
            except (NotStartedError, OSError, subprocess.SubprocessError) as error:
                _say(shared, name, {"problem": " ".join(str(error).split())})
                return
            _say(
                shared,
                name,
                {"environment": environment, "keeper": str(folder / "keeper")},
            )
            _serve(listener)
    finally:
        kill_descendants()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    keep(sys.argv[1], Path(sys.argv[2]))
