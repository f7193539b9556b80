"""Logging for a person or for a collector: UTC, with the job and the product on every line.

Lines go to standard error; standard output is for results. Secrets are taken out of every line,
whoever logged it and whoever formats it: libraries log headers, forms and URLs at DEBUG.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from datetime import datetime, timezone
from typing import Any, TextIO

from alos2.jobs import context

LEVELS = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO, 2: logging.DEBUG}


def _time(record: logging.LogRecord) -> str:
    when = datetime.fromtimestamp(record.created, timezone.utc)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        # Imported late: a command that logs nothing should not pay for it.
        from alos2.dataset.scrub import scrub

        return scrub(self.line(record))

    def line(self, record: logging.LogRecord) -> str:
        where = f"{context.job.get()} {context.product.get()}"
        line = f"{_time(record)} {record.levelname:<7} {where} {record.getMessage()}"
        trace = _traceback_of(self, record)
        return f"{line}\n{trace}" if trace else line


def _traceback_of(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    if record.exc_text:
        return record.exc_text
    return formatter.formatException(record.exc_info) if record.exc_info else ""


class _JsonFormatter(_Formatter):
    def line(self, record: logging.LogRecord) -> str:
        entry = {
            "time": _time(record),
            "level": record.levelname,
            "job": context.job.get(),
            "product": context.product.get(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        trace = _traceback_of(self, record)
        if trace:
            entry["traceback"] = trace
        return json.dumps(entry, ensure_ascii=False)


class _ScrubbedRecord(logging.LogRecord):
    """A record whose text and traceback have lost their secrets before any handler sees them."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if type(self.msg) is str and not self.args and not self.exc_info:
            # The commonest kind; also spares a literal % from being taken for a format.
            self.msg = _scrubbed(self.msg)
            return
        try:
            text = self.getMessage()
        except Exception:  # noqa: BLE001  logging would print the arguments as they are
            text = f"{type(self.msg).__name__} that cannot be formatted"
        self.msg, self.args = _scrubbed(text), None
        if self.exc_info and self.exc_info[0] is not None:
            # Formatters take this text instead of making their own.
            self.exc_text = _scrubbed("".join(traceback.format_exception(*self.exc_info)).rstrip())


def _scrubbed(text: str) -> str:
    # Imported late: a command that logs nothing should not pay for it.
    from alos2.dataset.scrub import scrub

    return scrub(text)


def _thread_died(what: threading.ExceptHookArgs) -> None:
    """Log what ended a thread; Python's own hook would print it with its secrets."""
    if what.exc_type is SystemExit:
        return
    error = what.exc_value or what.exc_type()
    name = what.thread.name if what.thread is not None else "?"
    logging.getLogger("alos2").error("thread %s ended by a fault", name, exc_info=error)


def set_up(verbosity: int, *, as_json: bool, stream: TextIO | None = None) -> None:
    """Send the log of ``alos2`` to `stream` (standard error), and scrub everybody's.

    Parameters
    ----------
    verbosity : int
        -1 errors only, 0 warnings, 1 what is being done, 2 everything.
    as_json : bool
        One JSON object a line.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonFormatter() if as_json else _Formatter())
    logger = logging.getLogger("alos2")
    logger.handlers[:] = [handler]
    logger.setLevel(LEVELS[max(-1, min(2, verbosity))])
    logger.propagate = False
    logging.setLogRecordFactory(_ScrubbedRecord)
    threading.excepthook = _thread_died
