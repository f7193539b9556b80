"""Answers as IBM documents LSF's; a replay of a manual, not of a session, and no scheduler.

Sources: IBM Spectrum LSF 10.1 command reference: ``bsub`` ("Job <id> is submitted to queue
<name>."; a script on standard input has its ``#BSUB`` lines read), ``bjobs`` (``-o``, ``-json``,
``-a``; "Job <id> is not found", exit code 255), ``bkill`` ("Job <id> is being terminated"; "Job has
already finished"), and the termination reasons of the administrator's guide. Nothing here was
printed by a real LSF.

The test puts what there is into ``plan.json``: ``{"jobs": {"771": {"STAT": "RUN"}}, "next": 771}``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from fakes import replaying
from fakes.replaying import asked, calls

__all__ = ["calls", "install", "main"]

COMMANDS = ("bsub", "bjobs", "bkill")


def install(folder: Path, plan: dict[str, object]) -> Path:
    """Write the three programs and the plan; return the folder that goes first on PATH."""
    return replaying.install(folder, "lsf_replay.replay_lsf", COMMANDS, plan)


def main(command: str, arguments: list[str]) -> int:
    plan = asked(command, arguments)
    if plan.get("down"):
        sys.stderr.write("LSF is down. Please wait ...\n")
        return 255
    return {"bsub": _bsub, "bjobs": _bjobs, "bkill": _bkill}[command](plan, arguments)


def _bsub(plan: dict, arguments: list[str]) -> int:
    script = "" if arguments else sys.stdin.read()
    queue = next((line.split()[2] for line in script.splitlines() if line.startswith("#BSUB -q ")),
                 None)  # fmt: skip
    if queue is not None and queue not in plan.get("queues", [queue]):
        sys.stderr.write(f"{queue}: No such queue. Job not submitted.\n")
        return 255
    job_id = plan["next"]
    where = f"queue <{queue}>" if queue else "default queue <normal>"
    sys.stdout.write(f"Job <{job_id}> is submitted to {where}.\n")
    if plan.get("run"):
        environment = {"PATH": os.environ["PATH"], "LSB_JOBID": str(job_id)}
        subprocess.run(
            ["/bin/bash"],
            input=script,
            text=True,
            cwd="/",
            env=environment,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return 0


def _bjobs(plan: dict, arguments: list[str]) -> int:
    fields = [word.upper() for word in arguments[arguments.index("-o") + 1].split()]
    ids = arguments[arguments.index("-o") + 2 :]
    records = []
    for job_id in ids:
        job = plan["jobs"].get(job_id)
        if job is None:
            records.append({"JOBID": job_id, "ERROR": f"Job <{job_id}> is not found"})
        else:
            records.append({name: {"JOBID": job_id, **job}.get(name, "") for name in fields})
    missing = any("ERROR" in record for record in records)
    if plan.get("plain") and all("ERROR" in record for record in records):
        sys.stderr.writelines(f"{record['ERROR']}\n" for record in records)
        return 255
    json.dump({"COMMAND": "bjobs", "JOBS": len(ids), "RECORDS": records}, sys.stdout, indent=2)
    return 255 if missing else 0


def _bkill(plan: dict, arguments: list[str]) -> int:
    (job_id,) = arguments
    job = plan["jobs"].get(job_id)
    if job is None:
        sys.stderr.write(f"Job <{job_id}>: No matching job found\n")
        return 255
    if job["STAT"] in ("DONE", "EXIT"):
        sys.stderr.write(f"Job <{job_id}>: Job has already finished\n")
        return 255
    if job.get("OWNER") == "another":
        sys.stderr.write(f"Job <{job_id}>: User permission denied\n")
        return 255
    sys.stdout.write(f"Job <{job_id}> is being terminated\n")
    return 0
