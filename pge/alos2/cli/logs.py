"""Logging for a person or for a collector: UTC, with the job and the product on every line.

Lines go to standard error; standard output is for results. Secrets in URLs are taken out of
every line, whoever logged it.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime, timezone
from typing import TextIO

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
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


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
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def set_up(verbosity: int, *, as_json: bool, stream: TextIO | None = None) -> None:
    """Send the log of ``alos2`` to `stream` (standard error).

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
