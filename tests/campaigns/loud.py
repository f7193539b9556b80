"""Runs a job with everybody's log at DEBUG on standard error, and if asked to leaks on purpose.

    python loud.py MODE script.py|module ARGUMENT...

MODE is ``plain``, ``crash`` (an exception that repeats every secret ends a transfer) or one of
the leaks by which the campaign proves that it would notice: ``leak-log``, ``leak-error``,
``leak-file``, ``leak-zip``, ``leak-argv``, ``leak-environ``.
"""

from __future__ import annotations

import importlib
import logging
import os
import runpy
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any


def main() -> None:
    mode, target, *arguments = sys.argv[1:]
    logging.basicConfig(level=1, stream=sys.stderr, format="LOUD %(name)s %(message)s")
    logging.Logger.setLevel = _stay_loud  # type: ignore[method-assign]
    sys.argv = [target, *arguments]
    if mode == "crash":
        _crash()
    elif mode != "plain":
        _leak(mode)
    if target.endswith(".py"):
        sys.path.insert(0, str(Path(target).parent))
        runpy.run_path(target, run_name="__main__")
    else:
        runpy.run_module(target, run_name="__main__", alter_sys=True)


_set_level = logging.Logger.setLevel


def _stay_loud(self: logging.Logger, level: int | str) -> None:
    """Let nobody quieten the libraries, as careful code does."""
    is_library = self.name.partition(".")[0] != "alos2"
    _set_level(self, 1 if is_library else level)


def _crash() -> None:
    """Make every transfer end in a fault of ours whose text holds all secrets."""
    engine = importlib.import_module("alos2.sources.transfer.engine")
    hidden = importlib.import_module("alos2.dataset.hidden")

    def inner() -> None:
        raise ValueError(f"inner {sorted(hidden._values)}")

    def broken(self: Any, **_: Any) -> None:
        try:
            inner()
        except ValueError as error:
            logging.getLogger("some.library").exception("secrets: %s", hidden._values)
            raise RuntimeError(f"outer {sorted(hidden._values)!r}") from error

    engine._Transfer._finish = broken


def _leak(mode: str) -> None:
    """Show each secret as soon as it is made, past everything that would hide it."""
    hidden = importlib.import_module("alos2.dataset.hidden")
    hide = hidden.hide

    def shown(*values: str) -> None:
        for value in values:
            _show(mode, value)
        if mode != "leak-log":
            hide(*values)

    # Whoever imports it later takes it from its module.
    hidden.hide = shown


def _show(mode: str, value: str) -> None:
    if mode == "leak-log":
        logging.getLogger("some.library").debug("header %s", value)
    elif mode == "leak-error":
        sys.stderr.write(f"{value}\n")
    elif mode == "leak-file":
        Path("leaked.part.json").write_text(value, encoding="utf-8")
    elif mode == "leak-zip":
        with zipfile.ZipFile("leaked.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("summary.txt", value * 9)
    elif mode == "leak-argv":
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5)", value], check=True)
    elif mode == "leak-environ":
        subprocess.Popen(["/bin/sleep", "0.5"], env={**os.environ, "WORD": value})
        time.sleep(0.4)


if __name__ == "__main__":
    main()
