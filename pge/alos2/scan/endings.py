"""How a job may end before its time, in words; and what to do about each kind of failure."""

from __future__ import annotations

from typing import Final

from alos2.cluster.model import JobStatus

_AGAIN: Final = "alos2 scan --retry-failed does what is left"

REMEDIES: Final = {
    "Walltime": "a longer walltime in the site file or fewer scenes a job (--chunk); then "
    "--retry-failed",
    "Killed": f"the node or memory may be short: see the job's stderr; {_AGAIN}",
    "Cancelled": _AGAIN,
    "NeverStarted": "mend what the scheduler says in the site file; then --retry-failed",
    "JobFailed": f"see the job's stderr; {_AGAIN}",
    "JobLost": f"the scheduler has forgotten it and it left no trace; {_AGAIN}",
    "DatasetDiffers": "the archive has another dataset of this id; --retry-failed --force "
    "replaces it",
}
"""What to do, by class of failure; where there is nothing here, the failure's own hint says it."""


def ending(status: JobStatus | None, *, cancelled: bool = False) -> tuple[str, str, str]:
    """Return class, sentence and hint for the units that a job left undone.

    Parameters
    ----------
    status : JobStatus, optional
        How it ended; None: nobody knows.
    cancelled : bool, optional
        Whether we asked for it.
    """
    if cancelled:
        kind, message = "Cancelled", "cancelled by alos2 scan --cancel"
    elif status is None:
        kind, message = "JobLost", "its job left no trace"
    elif status.state == "killed":
        kind, message = _killed(status.reason)
    elif status.state == "gone":
        kind, message = "JobLost", f"its job is gone: {status.reason or 'nobody knows of it'}"
    elif status.state == "done":
        kind, message = "JobFailed", "its job ended without telling of this scene"
    else:
        code = "" if status.exit_code is None else f" with exit code {status.exit_code}"
        kind, message = "JobFailed", f"its job failed{code}"
        if status.reason:
            message += f": {status.reason}"
    return kind, message, REMEDIES[kind]


def _killed(reason: str) -> tuple[str, str]:
    if reason == "walltime":
        return "Walltime", "its job was ended by its walltime"
    if reason.startswith("never started"):
        return "NeverStarted", f"its job {reason}"
    if reason == "cancelled":
        return "Cancelled", "its job was cancelled"
    return "Killed", f"its job was killed: {reason or 'nobody says why'}"
