"""One job's process: started, listened to, ended."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from alos2.dataset.scrub import scrub
from alos2.types import Json
from alos2.web.jobs import processes
from alos2.web.jobs.asked import command
from alos2.web.jobs.table import LOG_LINES, Job, now

GRACE_S: Final = 20.0
"""How long a job may take to clean up when it is cancelled, before it is killed."""

_ERROR: Final = re.compile(r"alos2: ([A-Z][A-Za-z]+): (.*)", re.DOTALL)
_LONGEST_LINE: Final = 2000


async def run(job: Job, archive: Path, folder: Path, changed: Callable[[], None]) -> int:
    """Run a job to its end, and let it tell what becomes of it.

    Parameters
    ----------
    job : Job
        Takes ``progress``, ``datasets``, ``log``, ``error``, ``process``.
    archive, folder : Path
        The archive, and the jobs' folder in it.
    changed : callable
        Called after each change.

    Returns
    -------
    int
        The exit code; -1 if it could not be started.
    """
    try:
        process = await processes.begin(command(job.asked, archive, folder), folder=folder)
    except OSError as error:
        job.error = {"class": "NoResource", "message": f"no process can be started: {error}"}
        return -1
    job.process = processes.mark_of(process.pid)
    changed()
    try:
        await asyncio.gather(_results(process, job, changed), _messages(process, job, changed))
        code = await process.wait()
    except asyncio.CancelledError:
        await stop(process)
        raise
    job.process = None
    if code != 0 and job.error is None:
        job.error = {"class": "Ended", "message": f"it ended with exit code {code} and no word"}
    if job.error is not None:
        job.error["exit_code"] = code
    return code


async def stop(process: asyncio.subprocess.Process) -> None:
    """End a job's group of processes: asked first, killed if it does not."""
    if process.returncode is not None:
        return
    processes.end(process.pid)
    try:
        await asyncio.wait_for(process.wait(), GRACE_S)
    except asyncio.TimeoutError:
        processes.end(process.pid, now=True)
        await process.wait()


async def _results(
    process: asyncio.subprocess.Process, job: Job, changed: Callable[[], None]
) -> None:
    """Read standard output: one JSON line a dataset."""
    async for line in _lines(process.stdout):
        told = _json(line)
        name = told.get("id") if isinstance(told, dict) else None
        if isinstance(name, str) and name not in job.datasets:
            job.datasets.append(name)
            changed()


async def _messages(
    process: asyncio.subprocess.Process, job: Job, changed: Callable[[], None]
) -> None:
    """Read standard error: progress and log lines in JSON, and the last line in words."""
    async for line in _lines(process.stderr):
        told = _json(line)
        if isinstance(told, dict) and isinstance(told.get("progress"), dict):
            job.progress = _progress(told["progress"])
        else:
            _log(job, told, line)
        changed()


def _log(job: Job, told: Any, line: str) -> None:
    if isinstance(told, dict) and "message" in told:
        when = str(told.get("time", ""))[11:19]
        text = f"{when} {told.get('level', '')} {told['message']}"
    else:
        # Scrubbed before it is cut to what is kept, so that no secret is cut in two.
        text = scrub(line[: 2 * _LONGEST_LINE])
        found = _ERROR.fullmatch(text)
        if found is not None:
            job.error = {"class": found[1], "message": found[2]}
    job.log.append(text[:_LONGEST_LINE])
    del job.log[:-LOG_LINES]


def _progress(told: Json) -> Json:
    return {key: told.get(key) for key in ("stage", "done", "total")} | {"when": now()}


async def _lines(stream: asyncio.StreamReader | None) -> Any:
    """Yield lines; one that is too long is left out, but not what follows."""
    if stream is None:
        return
    while True:
        try:
            line = await stream.readline()
        except ValueError:
            continue
        if not line:
            return
        text = line.decode("utf-8", "replace").strip()
        if text:
            yield text


def _json(line: str) -> Any:
    if not line.startswith("{"):
        return None
    try:
        return json.loads(line)
    except ValueError:
        return None
