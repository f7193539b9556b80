"""A process of the scan campaign: the scan, or a job, that dies by SIGKILL after so many calls.

    scanning.py PLAN.json scan DIR ...      what `alos2 scan DIR ...` does
    scanning.py PLAN.json -m alos2 ...      what a job runs (a site's ``python`` comes to this)

PLAN.json: ``seed``; ``deaths``, the share of processes that die; ``most_calls``; ``mutation``, a
fault that is put in on purpose, so that the campaign can be seen to find it. The call at which a
process dies is drawn anew for each: anywhere between two steps of scan, catalogue or dataset.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

WATCHED = ("/alos2/scan/", "/alos2/catalogue/embedded/", "/alos2/dataset/", "/alos2/jobs/")


def turn(folder: Path) -> int:
    """Return a number that no other process of the campaign gets."""
    number = 0
    while True:
        try:
            os.close(os.open(folder / f"turn-{number}", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            number += 1
        else:
            return number


def die_after(calls: int) -> None:
    """Die at that call of a watched function."""
    watched: dict[CodeType, bool] = {}
    left = [calls]

    def count(frame: FrameType, event: str, argument: Any) -> None:
        if event not in ("call", "return"):
            return
        code = frame.f_code
        if code not in watched:
            watched[code] = any(part in code.co_filename for part in WATCHED)
        if watched[code]:
            left[0] -= 1
            if left[0] <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)


def lose_what_jobs_left_undone() -> None:
    """Mutation: what a job that died left undone counts as done."""
    from alos2.scan import collect  # noqa: PLC0415

    real = collect.Ended

    class Forgiving(real):  # type: ignore[misc, valid-type]
        def __new__(cls, name: str, place: str, outcome: str, folder: Any, error: Any) -> Any:
            return real.__new__(cls, name, place, "made", folder, None)

    collect.Ended = Forgiving  # type: ignore[misc]


def count_every_place() -> None:
    """Mutation: the same scene at two places is done at both."""
    from alos2.scan import plan  # noqa: PLC0415

    plan._settle_duplicates = lambda state: None


MUTATIONS = {"lose": lose_what_jobs_left_undone, "twice": count_every_place}


def main() -> None:
    plan_file = Path(sys.argv[1])
    plan = json.loads(plan_file.read_text())
    arguments = sys.argv[4:] if sys.argv[2] == "-m" else sys.argv[2:]
    draw = random.Random(f"{plan['seed']}/{turn(plan_file.parent)}")
    from alos2.cli.main import main as alos2  # noqa: PLC0415

    if plan["mutation"] and arguments[0] == "scan":
        MUTATIONS[plan["mutation"]]()
    if draw.random() < plan["deaths"]:
        # Some die early, some anywhere.
        most = plan["most_calls"]
        die_after(int(most ** draw.random() if draw.random() < 0.3 else most * draw.random()))
    alos2(arguments)


if __name__ == "__main__":
    main()
