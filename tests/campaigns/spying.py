"""Watches a job: what it prints, what it leaves, and what ``ps`` would have shown of it."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

LOUD = Path(__file__).with_name("loud.py")


@dataclass
class Run:
    """What became of a job."""

    code: int
    stdout: bytes
    stderr: bytes
    processes: dict[str, bytes] = field(default_factory=dict)
    """``PID cmdline`` and ``PID environ`` of every process of the job."""
    samples: int = 0


def run(
    arguments: list[str],
    *,
    work: Path,
    environment: dict[str, str],
    mode: str = "plain",
    given: str = "",
    end: int | None = None,
    when: Callable[[], bool] = lambda: True,
) -> Run:
    """Run a job loudly, looking at its processes all the time.

    Parameters
    ----------
    arguments : list of str
        Script or module, and its arguments.
    work : Path
        Its directory.
    environment : dict
        Its whole environment.
    mode : str
        See `loud`.
    given : str
        Its standard input.
    end : int, optional
        Signal to send as soon as `when` is true.
    when : callable
        Asked every few milliseconds.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(
            [sys.executable, str(LOUD), mode, *arguments],
            cwd=work, env=environment, stdin=subprocess.PIPE, stdout=out, stderr=err,
            start_new_session=True,
        )  # fmt: skip
        assert child.stdin is not None
        try:
            child.stdin.write(given.encode())
            child.stdin.close()
        except BrokenPipeError:
            pass
        looking = _Looking(child.pid)
        until = time.monotonic() + 150
        while child.poll() is None and time.monotonic() < until:
            looking.look()
            if end is not None and when():
                child.send_signal(end)
                end = None
            time.sleep(0.01)
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            raise AssertionError("the job does not end")
        out.seek(0)
        err.seek(0)
        return Run(child.wait(), out.read(), err.read(), looking.seen, looking.samples)


class _Looking:
    """Notes command line and environment of all processes of a session, each that is another."""

    def __init__(self, leader: int) -> None:
        self.leader = leader
        self.seen: dict[str, bytes] = {}
        self.samples = 0
        self._last: dict[str, bytes] = {}
        self._strangers: set[str] = set()

    def look(self) -> None:
        """Look once. No process comes into a session later, so that a stranger remains one."""
        self.samples += 1
        if self.samples % 50 == 0:
            self._strangers.clear()  # a number may be given again
        for pid in os.listdir("/proc"):  # noqa: PTH208  as below
            if not pid.isdigit() or pid in self._strangers:
                continue
            try:
                status = _content(f"/proc/{pid}/stat").rpartition(b")")[2].split()
                if int(status[3]) != self.leader:
                    self._strangers.add(pid)
                    continue
                for what in ("cmdline", "environ"):
                    self._note(f"{pid} {what}", _content(f"/proc/{pid}/{what}"))
            except (OSError, IndexError, ValueError):
                continue

    def _note(self, name: str, content: bytes) -> None:
        if content and content != self._last.get(name):
            self._last[name] = content
            self.seen[name] = self.seen.get(name, b"") + content


def _content(name: str) -> bytes:
    with open(name, "rb", buffering=0) as file:  # noqa: PTH123  a hundred times a second
        return file.readall()


def spelled(secret: str) -> Iterator[bytes]:
    """Yield a secret as it may stand in a text; written without a look at the code under test."""
    texts = {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        repr(secret.encode())[2:-1],
    }
    for text in texts:
        yield text.encode()
        yield text.encode("utf-16-le")
    yield base64.b64encode(secret.encode())
    yield secret.encode().hex().encode()


def leaks(
    run_: Run, folders: Iterable[Path], secrets: dict[str, str], *, own: Iterable[Path] = ()
) -> list[str]:
    """Return where a secret was seen, each as ``what in where``.

    Parameters
    ----------
    run_ : Run
        A job that has ended.
    folders : iterable of Path
        All that it could write to.
    secrets : dict
        Secrets by what they are.
    own : iterable of Path
        The files that hold the secrets in the first place.
    """
    patterns = {what: tuple(spelled(value)) for what, value in secrets.items()}
    mine = {path.resolve() for path in own}
    found: list[str] = []
    for where, content in _places(run_, folders, mine):
        found += [
            f"{what} in {where}"
            for what, words in patterns.items()
            if any(word in content for word in words)
        ]
    return found


def _places(run_: Run, folders: Iterable[Path], own: set[Path]) -> Iterator[tuple[str, bytes]]:
    yield "stdout", run_.stdout
    yield "stderr", run_.stderr
    yield from run_.processes.items()
    for folder in folders:
        for path in folder.rglob("*"):
            yield f"the name of {path}", path.name.encode()
            if not path.is_file() or path.resolve() in own:
                continue
            yield str(path), path.read_bytes()
            if zipfile.is_zipfile(path):
                yield from _members(path)


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            yield f"{path}!{name}", archive.read(name)


@dataclass
class Cookies:
    """What a server of `alos2.simulate.portals` has given to its clients."""

    values: set[str] = field(default_factory=set)

    def watch(self, server: Any) -> None:
        """Note every cookie that `server` sets from now on."""
        answer = server.answer
        lock = threading.Lock()

        def noting(request: Any) -> Any:
            made = answer(request)
            with lock:
                for name, value in made.headers:
                    if name.lower() == "set-cookie":
                        self.values.add(value.partition("=")[2].partition(";")[0])
            return made

        server.answer = noting

    def named(self) -> dict[str, str]:
        """Return them as secrets."""
        return {f"cookie {n}": value for n, value in enumerate(sorted(self.values)) if value}
