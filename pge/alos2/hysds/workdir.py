"""The files that a HySDS worker and a job exchange in the job's working directory.

The worker writes ``_context.json`` before the job starts, and reads after it ended:
``_alt_error.txt``, ``_alt_traceback.txt`` (only of a failed job), ``_alt_msg.txt``,
``_alt_msg_details.txt`` and ``pge_metrics.json`` (only of one that exited 0; its ``download``
entries need a ``url``). Source: HySDS ``job_worker.py``, as public code has it in August 2026; it
shortens each line of ``_alt_msg.txt``, so of many things only their numbers are in there.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from alos2.archive.writing import writing_failed
from alos2.dataset.provenance import public_url
from alos2.dataset.scrub import scrub
from alos2.errors import Alos2Error, UsageError

if TYPE_CHECKING:
    from alos2.sources.credentials.secret import Secret

log = logging.getLogger(__name__)

CONTEXT_FILE = "_context.json"

_ERROR: Final = "_alt_error.txt"
_TRACEBACK: Final = "_alt_traceback.txt"
_MESSAGE: Final = "_alt_msg.txt"
_DETAILS: Final = "_alt_msg_details.txt"
_METRICS: Final = "pge_metrics.json"
_YES: Final = ("true", "yes", "1")
_NO: Final = ("false", "no", "0")


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
        self._context: dict[str, Any] | None = None

    @property
    def is_hysds(self) -> bool:
        """Whether a HySDS worker made this directory: it holds ``_context.json``."""
        return (self.path / CONTEXT_FILE).is_file()

    def context(self) -> dict[str, Any]:
        """Return what ``_context.json`` holds, read once; an empty dict where there is none.

        Raises
        ------
        UsageError
            It is there and is not a JSON object.
        """
        if self._context is None:
            self._context = self._read()
        return self._context

    def _read(self) -> dict[str, Any]:
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

    def flag(self, name: str) -> bool:
        """Return a job parameter that is ``true`` or ``false``, as text or not; absent: False.

        Raises
        ------
        UsageError
            ``_context.json`` cannot be read, or the parameter is something else.
        """
        value = self.context().get(name)
        if isinstance(value, bool):
            return value
        word = (self.parameter(name) or _NO[0]).lower()
        if word not in (*_YES, *_NO):
            raise UsageError(
                f"parameter {name!r} in {CONTEXT_FILE} is neither true nor false",
                hint="write true, or leave it empty",
            )
        return word in _YES

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

        self._context = None  # the file changes
        return take_secret(self.path / CONTEXT_FILE, name)

    def report_failure(
        self,
        error: BaseException,
        short: str,
        messages: Sequence[str] = (),
        details: Sequence[str] = (),
    ) -> None:
        """Write ``_alt_error.txt`` (`short`), ``_alt_traceback.txt`` and the messages.

        All without secrets. What cannot be written, on a full disk for instance, is logged: the
        exit code shall tell of `error` all the same. Metrics of an earlier run are taken away.
        """
        trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        try:
            self._remove(_METRICS)
            self._write(_ERROR, scrub(short) + "\n")
            self._write(_TRACEBACK, scrub(trace))
            self._tell(messages, details)
        except Alos2Error as fault:
            log.warning("HySDS will not be told why: %s", fault)

    def report_success(
        self,
        downloads: Sequence[Download],
        messages: Sequence[str],
        details: Sequence[str] = (),
    ) -> None:
        """Write ``pge_metrics.json`` and the messages.

        Reports of an earlier, failed run in the same directory are taken away.

        Parameters
        ----------
        downloads : sequence of Download
            For the metrics.
        messages, details : sequence of str
            Lines of ``_alt_msg.txt`` and ``_alt_msg_details.txt``; without any there is no file.

        Raises
        ------
        NoSpace, NoResource
            They cannot be written.
        """
        self._remove(_ERROR, _TRACEBACK)
        metrics = {"download": [d.to_json() for d in downloads], "upload": []}
        self._write(_METRICS, json.dumps(metrics, indent=2) + "\n")
        self._tell(messages, details)

    def _tell(self, messages: Sequence[str], details: Sequence[str]) -> None:
        for name, lines in ((_MESSAGE, messages), (_DETAILS, details)):
            if lines:
                self._write(name, "".join(scrub(line) + "\n" for line in lines))
            else:
                self._remove(name)

    def _write(self, name: str, text: str) -> None:
        try:
            (self.path / name).write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise writing_failed(self.path / name, error) from error

    def _remove(self, *names: str) -> None:
        for name in names:
            try:
                (self.path / name).unlink(missing_ok=True)
            except OSError as error:
                raise writing_failed(self.path / name, error) from error


def _utc(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
