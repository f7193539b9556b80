"""A warm process that transfers on demand, each time in a forked child that may be killed.

It reads one JSON object a line: url, work, result (a file for the outcome), options, and `end`:
how the child is to end before its time, {"signal": n, "at_bytes": n} or {"signal": n, "after_s":
x}. When the child has ended it writes one line: its exit code, or minus its signal.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alos2.cli.main import install_signal_handlers
from alos2.errors import Alos2Error
from alos2.sources import TransferOptions, fetch
from alos2.sources.credentials import resolve as _warm  # noqa: F401  (imported once, not per child)


def _progress(end: dict[str, Any] | None) -> Callable[[int, int | None], None]:
    """End this process at a byte, from within or, later, at any point of it."""
    if end is not None and "after_s" in end:

        def later() -> None:
            time.sleep(end["after_s"])
            os.kill(os.getpid(), end["signal"])

        threading.Thread(target=later, daemon=True).start()

    def progress(done: int, total: int | None) -> None:
        if end is not None and done >= end.get("at_bytes", float("inf")):
            os.kill(os.getpid(), end["signal"])

    return progress


def _transfer(order: dict[str, Any]) -> int:
    install_signal_handlers()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    outcome: dict[str, Any]
    try:
        got = fetch(
            order["url"],
            Path(order["work"]),
            options=TransferOptions(**order["options"]),
            progress=_progress(order["end"]),
        )
        outcome = {"path": str(got.path), "sha256": got.sha256, "size": got.size}
    except Alos2Error as error:
        outcome = {"error": type(error).__name__, "message": str(error), "code": error.exit_code}
    except KeyboardInterrupt:
        outcome = {"error": "KeyboardInterrupt", "message": "", "code": 130}
    except BaseException as error:  # noqa: BLE001  what must not happen is counted
        outcome = {"crash": repr(error)}
    new = Path(order["result"] + ".new")
    new.write_text(json.dumps(outcome))
    new.replace(order["result"])
    return 0


def main() -> None:
    warnings.simplefilter("ignore")
    # Nothing but loopback is spoken to, whatever the environment says.
    os.environ["NO_PROXY"] = "*"
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 70
            try:
                code = _transfer(order)
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
