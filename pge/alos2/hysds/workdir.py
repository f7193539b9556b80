"""The files that a HySDS worker and a job exchange in the job's working directory.

The worker writes ``_context.json`` before the job starts, and reads after it ended:
``_alt_error.txt``, ``_alt_traceback.txt`` (only of a failed job), ``_alt_msg.txt``,
``_alt_msg_details.txt`` and ``pge_metrics.json`` (only of one that exited 0; its ``download``
entries need a ``url``). Source: HySDS ``job_worker.py``, as public code has it in August 2026.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alos2.dataset.provenance import public_url
from alos2.dataset.scrub import scrub
from alos2.errors import UsageError

if TYPE_CHECKING:
    from alos2.sources.credentials.secret import Secret

CONTEXT_FILE = "_context.json"


@dataclass(frozen=True)
class Download:
    """One transfer, as ``pge_metrics.json`` reports it."""

    url: str
    path: Path
    size_bytes: int
    start: datetime
    end: datetime

    def to_json(self) -> dict[str, Any]:
        """Return the keys that the worker reads; the URL has lost its secrets."""
        duration_s = (self.end - self.start).total_seconds()
        return {
            "url": public_url(self.url),
            "path": str(self.path),
            "disk_usage": self.size_bytes,
            "time_start": _utc(self.start),
            "time_end": _utc(self.end),
            "duration": duration_s,
            "transfer_rate": self.size_bytes / duration_s if duration_s > 0 else 0.0,
        }


class WorkDir:
    """The working directory of a job, under HySDS or as if under it.

    Parameters
    ----------
    path : Path
        The job's current directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def is_hysds(self) -> bool:
        """Whether a HySDS worker made this directory: it holds ``_context.json``."""
        return (self.path / CONTEXT_FILE).is_file()

    def context(self) -> dict[str, Any]:
        """Read ``_context.json``; an empty dict where there is none.

        Raises
        ------
        UsageError
            It is there and is not a JSON object.
        """
        file = self.path / CONTEXT_FILE
        hint = "the HySDS worker writes it; see the job's page in Figaro"
        try:
            content = json.loads(file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"{file} cannot be read: {error}", hint=hint) from error
        if not isinstance(content, dict):
            raise UsageError(f"{file} is not a JSON object", hint=hint)
        return content

    def parameter(self, name: str) -> str | None:
        """Return a job parameter as text; None where it is absent or blank.

        Raises
        ------
        UsageError
            ``_context.json`` cannot be read, or the parameter is not text.
        """
        value = self.context().get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise UsageError(
                f"parameter {name!r} in {CONTEXT_FILE} is {type(value).__name__}, not text",
                hint="give it as a JSON string",
            )
        return value.strip() or None

    def words(self, name: str) -> tuple[str, ...]:
        """Return the words of a job parameter: a text with commas or spaces, or a list of texts.

        Raises
        ------
        UsageError
            ``_context.json`` cannot be read, or the parameter is something else.
        """
        value = self.context().get(name)
        values = value if isinstance(value, list) else [value]
        words: list[str] = []
        for one in values:
            if isinstance(one, int) and not isinstance(one, bool):
                words.append(str(one))
            elif isinstance(one, str):
                words += one.replace(",", " ").split()
            elif one is not None:
                raise UsageError(
                    f"parameter {name!r} in {CONTEXT_FILE} is {type(one).__name__}, not text",
                    hint="give it as a JSON string, with commas between several",
                )
        return tuple(words)

    def take_secret(self, name: str) -> Secret | None:
        """Return a secret parameter, after it has been taken out of ``_context.json``.

        Raises
        ------
        UsageError, NoResource
            See `alos2.hysds.secretparam.take_secret`.
        """
        # Imported late: the sources' libraries are slow to import, and few jobs have a secret.
        from alos2.hysds.secretparam import take_secret  # noqa: PLC0415

        return take_secret(self.path / CONTEXT_FILE, name)

    def report_failure(self, error: BaseException, short: str) -> None:
        """Write ``_alt_error.txt`` (`short`) and ``_alt_traceback.txt``, both without secrets."""
        trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        self._write("_alt_error.txt", scrub(short) + "\n")
        self._write("_alt_traceback.txt", scrub(trace))

    def report_success(self, downloads: Sequence[Download], messages: Sequence[str]) -> None:
        """Write ``pge_metrics.json`` and ``_alt_msg.txt`` (a line for each dataset).

        Reports of an earlier, failed run in the same directory are taken away.
        """
        for stale in ("_alt_error.txt", "_alt_traceback.txt"):
            (self.path / stale).unlink(missing_ok=True)
        metrics = {"download": [d.to_json() for d in downloads], "upload": []}
        self._write("pge_metrics.json", json.dumps(metrics, indent=2) + "\n")
        self._write("_alt_msg.txt", "".join(scrub(line) + "\n" for line in messages))

    def _write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text, encoding="utf-8")


def _utc(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
