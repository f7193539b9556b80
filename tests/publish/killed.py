"""Publish and be killed at a chosen moment: ``killed.py TO FOLDER FORCE CLASS.METHOD WHEN N``."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from alos2.publish.engine import publish
from alos2.publish.target import target_of
from publish.options import OPTIONS


def arm(where: str, when: str, number: int) -> None:
    """Make the `number`-th call of a method the last thing that this process does."""
    module, owner, method = where.rsplit(".", 2)
    cls = getattr(importlib.import_module(f"alos2.publish.{module}"), owner)
    plain = getattr(cls, method)
    calls = 0

    def deadly(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        is_it = calls == number
        if is_it and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = plain(*args, **kwargs)
        if is_it and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(cls, method, deadly)


if __name__ == "__main__":
    to, folder, force, where, when, number = sys.argv[1:]
    arm(where, when, int(number))
    if where.startswith("local.") and "exchange" in os.environ.get("WITHOUT", ""):
        import alos2.publish.local

        alos2.publish.local.exchange = lambda one, other: False
    options = replace(OPTIONS, force=force == "force", at_once=1)
    publish(Path(folder), target_of(to), options)
