"""A process of the stack campaign: a run of a stack that dies by SIGKILL after so many calls.

    stacking.py PLAN.json

PLAN.json: ``work``, the work folder; ``config``, of a real stack, or null for one of tiny steps;
``at``, the call at which it dies (of those in the watched packages, in any thread, from the
beginning of the run on), or null; ``after_s``, or the seconds after which it dies, or null;
``mutation``, a fault that is put in on purpose, so that the campaign can be seen to find it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

WATCHED = ("/alos2/stack/", "/alos2/dataset/", "/stack/fakesteps.py", "/pathlib.py")
DATES = ("20200101", "20200115", "20200129")


def watch(die_at: int | None) -> list[int]:
    """Count the calls of watched functions, and die at one of them."""
    watched: dict[CodeType, bool] = {}
    calls = [0]

    def count(frame: FrameType, event: str, argument: Any) -> None:
        if event not in ("call", "return"):
            return
        code = frame.f_code
        if code not in watched:
            watched[code] = any(part in code.co_filename for part in WATCHED)
        if watched[code]:
            calls[0] += 1
            if calls[0] == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(count)
    sys.setprofile(count)
    return calls


def without_staging() -> None:
    """Mutation: outputs are written to their place bit by bit."""
    from alos2.stack.running import local, making  # noqa: PLC0415

    def make(step: Any, order: Any, folder: Path, means: Any) -> Path:
        place = Path(os.environ["STACK_WORK"]) / order.task.id
        place.mkdir(parents=True, exist_ok=True)
        content, key = order.made_from, order.key
        making.write_receipt.__globals__["file_names"] = lambda _: []
        (place / ".receipt.json").write_text(
            json.dumps({"key": key, "made_from": content, "notes": [], "parts": {}, "files": {}})
        )
        job = making.StepJob(order.task, place, folder, order.made)
        step.run(job)
        return place

    local.make = make  # type: ignore[assignment]
    from alos2.stack.running import run  # noqa: PLC0415

    run.put_in_place = lambda out, place: run.read_receipt(place)  # type: ignore[assignment]
    run.shutil.rmtree = lambda *a, **k: None  # type: ignore[assignment]


MUTATIONS = {"staging": without_staging}


def tiny(work: Path) -> None:
    """Run the stack of tiny steps."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from alos2.stack.running.graph import Graph  # noqa: PLC0415
    from alos2.stack.running.room import Room  # noqa: PLC0415
    from alos2.stack.running.run import RunOptions, run_stack  # noqa: PLC0415
    from stack.fakesteps import step_of, tasks  # noqa: PLC0415

    graph = Graph(tasks(DATES, tracks=("P1", "P2")))
    report = run_stack(graph, work, step_of, RunOptions(room=Room(2, 2000)))
    report.raise_failures()


def real(config: Path) -> None:
    """Run a stack as `alos2 stack run` does."""
    from alos2.cli.main import main as alos2  # noqa: PLC0415

    alos2(["stack", "run", str(config), "--threads", "2"])


def die_in(seconds: float) -> None:
    """Die after so many seconds, wherever that is."""

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    timer = threading.Timer(seconds, die)
    timer.daemon = True
    timer.start()


def main() -> None:
    plan = json.loads(Path(sys.argv[1]).read_text())
    os.environ["STACK_WORK"] = plan["work"]
    if plan["mutation"]:
        MUTATIONS[plan["mutation"]]()
    from alos2.stack.running import run  # noqa: PLC0415

    go, calls, began_s = run._Run.go, [0], time.monotonic()

    def watched(self: Any, graph: Any) -> None:
        nonlocal calls, began_s
        began_s = time.monotonic()
        if plan["after_s"] is not None:
            die_in(plan["after_s"])
        else:
            calls = watch(plan["at"])
        go(self, graph)

    run._Run.go = watched  # type: ignore[method-assign]
    try:
        if plan["config"] is None:
            tiny(Path(plan["work"]))
        else:
            real(Path(plan["config"]))
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
        took = {"calls": calls[0], "seconds": time.monotonic() - began_s}
        Path(sys.argv[1]).with_suffix(".took").write_text(json.dumps(took))


if __name__ == "__main__":
    main()
