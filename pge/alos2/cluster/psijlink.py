"""How this package holds PSI/J: its executors' commands and parsers, without their machinery.

A PSI/J batch executor starts a thread that asks its scheduler each 30 s, answers only for jobs
that were attached to it, and takes a job that is not listed for completed. A process that asks
once (``alos2 scan --status``) needs one call and an honest "not known". So the executors here are
PSI/J's, with these parts replaced: no thread, no launcher scripts, commands with a time limit and
in the job's folder, a script of our own (`alos2.cluster.jobscript`).

PSI/J's templates are not used: they put ``shlex.quote`` inside double quotes, so that a folder
with a space in its name is looked for under a name with apostrophes in it.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, TextIO, cast

from alos2.errors import NoResource

COMMAND_SECONDS: Final = 120
"""A busy server may take a minute; one that takes more does not answer."""

_SECRET: Final = re.compile(r"PASS|SECRET|TOKEN|CREDENTIAL|API_?KEY|ACCESS_?KEY", re.IGNORECASE)


@contextmanager
def quiet_import() -> Iterator[None]:
    """Import PSI/J without what it does on the way.

    Its local executor, which is loaded with it, takes SIGCHLD for the process (and starts a
    thread at the first child that ends), or warns where it cannot.
    """
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGCHLD) if main else None
    log = logging.getLogger("psij")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)
        if main and before is not None:
            signal.signal(signal.SIGCHLD, before)


with quiet_import():
    from psij import Job, JobExecutorConfig
    from psij.executors.batch.batch_scheduler_executor import BatchSchedulerExecutorConfig
    from psij.executors.batch.script_generator import SubmitScriptGenerator


@dataclass(frozen=True)
class Answer:
    """What a command of a scheduler said."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """What it said in one line, errors first."""
        return " ".join(f"{self.err} {self.out}".split()) or f"exit code {self.code}, no words"


def environment_for_schedulers(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a scheduler's command may see: some keep it all, with each job, on a server.

    Passwords and tokens of this session stay here; on the nodes they are found where they lie.
    """
    return {name: value for name, value in environ.items() if not _SECRET.search(name)}


def run(command: list[str], *, folder: Path | None = None) -> Answer:
    """Run a scheduler's command.

    Raises
    ------
    NoResource
        There is no such command here, or it does not end.
    """
    try:
        done = subprocess.run(  # noqa: S603  (a list, no shell)
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
            env=environment_for_schedulers(os.environ),
        )
    except FileNotFoundError as error:
        raise NoResource(
            f"the command {command[0]!r} is not there"
            if folder is None or folder.is_dir()
            else f"the job's folder {folder} is not there",
            hint="run this on a login node of the cluster (is its module loaded?), or choose "
            "another scheduler with --scheduler, $QSUB_SYSTEM or the site file",
        ) from error
    except OSError as error:
        raise NoResource(f"{command[0]!r} cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise NoResource(
            f"{command[0]!r} gave no answer within {COMMAND_SECONDS} s",
            hint="the scheduler is busy or down; run the same command later",
        ) from error
    return Answer(
        done.returncode,
        done.stdout.decode("utf-8", "replace"),
        done.stderr.decode("utf-8", "replace"),
    )


class _NoPolling:
    """Stands where PSI/J has its thread."""

    def register_job(self, job: Job) -> None:
        """Do nothing: nobody polls."""


class Ready(SubmitScriptGenerator):
    """Hands PSI/J a script that is written already."""

    def __init__(self, config: JobExecutorConfig, text: str) -> None:
        super().__init__(config)
        self._text = text

    def generate_submit_script(
        self,
        job: Job,  # noqa: ARG002
        context: dict[str, object],  # noqa: ARG002
        out: IO[str],
    ) -> None:
        """Write the script; names that are no text in this locale stay the bytes they are."""
        out.flush()
        cast("TextIO", out).buffer.write(os.fsencode(self._text))


class Quiet:
    """Goes before a PSI/J batch executor: no thread, no launcher, commands as `run` runs them."""

    work_directory: Path

    def _start_queue_poll_thread(self) -> Any:
        return _NoPolling()

    def _create_script_context(self, job: Job) -> dict[str, object]:  # noqa: ARG002
        return {}

    def _ensure_work_dir(self) -> None:
        """Do nothing: the job's folder is there, or `run` says that it is not."""

    def _run_command(self, cmd: list[str]) -> str:
        answer = run(cmd, folder=self.work_directory)
        if answer.code != 0:
            raise subprocess.CalledProcessError(answer.code, cmd, output=answer.words)
        return answer.out


def config_for(folder: Path) -> BatchSchedulerExecutorConfig:
    """Return a configuration whose files go to a job's folder."""
    return BatchSchedulerExecutorConfig(work_directory=folder, keep_files=True)
