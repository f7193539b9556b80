"""Plays back what a real OpenPBS 23.06 printed; a replay, not a scheduler.

Called as ``qsub``, ``qstat`` or ``qdel`` by the small programs that `install` writes. What it
prints is read from a recording of a real session (``$ALOS2_REAL_DATA/openpbs-23.06``) that the
test chose in ``plan.json``: ``{"qstat": "qstat_json.txt", "qstat -x": "qstat_x_ok.txt"}``. With
``"run"`` in the plan the submitted script is run as the node would, under the id that the
recording gave out. Calls are kept in ``calls.ndjson``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from fakes import replaying
from fakes.replaying import asked, calls

__all__ = ["calls", "install", "main"]

COMMANDS = ("qsub", "qstat", "qdel")


def install(folder: Path, recordings: Path, plan: dict[str, object]) -> Path:
    """Write the three programs and the plan; return the folder that goes first on PATH."""
    named = {"recordings": str(recordings), **plan}
    return replaying.install(folder, "pbs_replay.replay_openpbs", COMMANDS, named)


def main(command: str, arguments: list[str]) -> int:
    plan = asked(command, arguments)
    key = "qstat -x" if command == "qstat" and "-x" in arguments else command
    if key not in plan:
        sys.stderr.write(f"{command}: this replay has no recording for it\n")
        return 1
    said, code = _recording(Path(plan["recordings"]) / plan[key])
    for line in said:
        (sys.stderr if line.startswith(f"{command}:") else sys.stdout).write(f"{line}\n")
    if command == "qsub" and code == 0 and plan.get("run"):
        _as_on_a_node(arguments[-1], said[0].strip())
    return code


def _recording(path: Path) -> tuple[list[str], int]:
    lines = path.read_text("utf-8").splitlines()
    code = re.fullmatch(r"\[exit (\d+)\]", lines[-1])
    assert lines[0].startswith("$ ")
    assert code is not None
    return lines[1:-1], int(code[1])


def _as_on_a_node(script: str, job_id: str) -> None:
    """Run a script as PBS does: in HOME, a small environment, its output elsewhere."""
    environment = {"PATH": os.environ["PATH"], "PBS_JOBID": job_id, "HOME": "/nonexistent"}
    subprocess.run(["/bin/bash", script], cwd="/", env=environment, check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
