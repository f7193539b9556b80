"""Mozart's REST API: submit a job, and ask what has become of it.

Source: Mozart's ``services/api_v01/jobs.py`` and ``job_utils.py`` of hysds_commons, as public code
has them in August 2026. Fields go as a form; ``tags`` and ``params`` are JSON inside it. Mozart
logs ``params`` as they are, so none of them may be a secret.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from alos2.catalogue.rest import BUSY, Answer, Rest, Silence
from alos2.errors import PublishFailed, UsageError
from alos2.hysds.jobbook import DEDUPED, LIVE

HIGHEST_PRIORITY: Final = 9
_NAME_LETTERS: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME: Final = 100
_NOT_FOUND: Final = 404


@dataclass(frozen=True)
class Submission:
    """A job as it is submitted.

    Parameters
    ----------
    job_type : str
        Id of its job-spec, e.g. ``job-ingest_alos2_sentinelasia:v1.0``.
    queue : str
    params : mapping
        A text for each parameter of the job-spec.
    payload_hash : str
        HySDS runs only one job of a hash.
    name : str
        HySDS adds the time and makes a directory of it: see `job_name`.
    tags : tuple of str
        HySDS keeps the first one with the job.
    priority : int
        0 to 9.
    username : str, optional
        Whose job it is.

    Raises
    ------
    UsageError
        Mozart would not understand it.
    """

    job_type: str
    queue: str
    params: Mapping[str, str]
    payload_hash: str
    name: str
    tags: tuple[str, ...] = ()
    priority: int = 0
    username: str | None = None

    def __post_init__(self) -> None:
        if not self.queue.strip() or not self.job_type.strip():
            raise UsageError("a job needs a queue and a type")
        if not 0 <= self.priority <= HIGHEST_PRIORITY:
            raise UsageError(f"a job's priority is 0 to {HIGHEST_PRIORITY}, not {self.priority}")

    def form(self) -> dict[str, str]:
        """Return the fields of Mozart's form."""
        form = {
            "type": self.job_type,
            "queue": self.queue,
            "priority": str(self.priority),
            "tags": json.dumps(list(self.tags)),
            "name": self.name,
            "payload_hash": self.payload_hash,
            "enable_dedup": "true",
            "params": json.dumps(dict(self.params)),
        }
        if self.username:
            form["username"] = self.username
        return form


@dataclass(frozen=True)
class Receipt:
    """What Mozart said to a submission."""

    id: str
    answers_lost: int = 0
    """How often before it was not certain whether the job had been taken."""


def job_name(*parts: str) -> str:
    """Return a name that may be a directory's: letters, digits, ``.``, ``_`` and ``-``."""
    clean = (_NAME_LETTERS.sub("_", part).strip("._-") for part in parts)
    return "-".join(part for part in clean if part)[:_LONGEST_NAME]


class Mozart:
    """Mozart, at one address.

    Parameters
    ----------
    rest : Rest
        Speaks to its REST API (``https://<host>:8888/api/v0.1``); it stays open.
    tries : int
        How often a job is submitted until there is an answer.
    wait_s : float
        Wait before the second try, seconds; doubled for each further one.
    """

    def __init__(self, rest: Rest, *, tries: int = 4, wait_s: float = 1.0) -> None:
        self._rest = rest
        self._tries = tries
        self._wait_s = wait_s

    def submit(
        self, submission: Submission, *, look_up: Callable[[], str | None] | None = None
    ) -> Receipt:
        """Submit a job; return its id.

        A passing fault, or an answer that is lost, is met with the same submission again: HySDS
        runs one job of a payload hash, whichever of them arrived. Before that `look_up` is asked.

        Parameters
        ----------
        submission : Submission
        look_up : callable, optional
            Returns the id of a job that is known under the hash.

        Raises
        ------
        PublishFailed
            Mozart does not take it, with its reason.
        LoginFailed
            Mozart wants another login.
        """
        form = submission.form()
        lost = 0
        for attempt in range(self._tries):
            if attempt:
                time.sleep(self._wait_s * 2 ** (attempt - 1))
                known = look_up() if lost and look_up is not None else None
                if known is not None:
                    return Receipt(known)
            answer = self._rest.once("POST", "/job/submit", form=form)
            if isinstance(answer, Silence):
                lost += not answer.unsent
            elif answer.status >= 500:
                # Mozart says 500 to everything, and may have said it after queuing the job.
                lost += 1
            elif answer.status not in BUSY:
                return Receipt(self._id(answer, submission), lost)
        if isinstance(answer, Silence):
            raise self._rest.unreachable(answer)
        self._rest.checked(answer, f"a job of type {submission.job_type}")
        raise PublishFailed(f"Mozart is busy (HTTP {answer.status})", hint="try again later")

    def status(self, job_id: str) -> str | None:
        """Return a job's state, e.g. ``job-queued``; None while Mozart does not know the job.

        Raises
        ------
        PublishFailed, LoginFailed
            Mozart does not answer.
        """
        content = self._job("/job/status", job_id)
        found = content.get("status")
        return found if isinstance(found, str) else None

    def original(self, job_id: str) -> str | None:
        """Return the id of the job of which this one was a copy; None if it was none.

        Raises
        ------
        PublishFailed, LoginFailed
            Mozart does not answer.
        """
        result = self._job("/job/info", job_id).get("result")
        found = result.get("dedup_job") if isinstance(result, dict) else None
        return found if isinstance(found, str) else None

    def settle(self, job_id: str, patience_s: float) -> str | None:
        """Wait until Mozart knows whether a job is a copy; return its state then.

        None: it still did not know after `patience_s` seconds.

        Raises
        ------
        PublishFailed, LoginFailed
            Mozart does not answer.
        """
        deadline = time.monotonic() + patience_s
        wait_s = 0.1
        while True:
            status = self.status(job_id)
            if status is not None:
                return status
            if time.monotonic() + wait_s > deadline:
                return None
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, 5.0)

    def _job(self, path: str, job_id: str) -> dict[str, object]:
        answer = self._rest.call("GET", path, params={"id": job_id}, accept=(_NOT_FOUND,))
        if not isinstance(answer.content, dict):
            raise PublishFailed(
                "what answers at Mozart's address is not Mozart", hint="check ALOS2_MOZART_URL"
            )
        return answer.content if answer.status != _NOT_FOUND else {}

    def _id(self, answer: Answer, submission: Submission) -> str:
        self._rest.checked(answer, f"a job of type {submission.job_type}")
        content = answer.content if isinstance(answer.content, dict) else {}
        found = content.get("result")
        if content.get("success") is not True or not isinstance(found, str) or not found:
            raise PublishFailed(
                f"Mozart did not take a job of type {submission.job_type}: {answer.reason}",
                hint="check ALOS2_MOZART_URL and that the job type and queue exist",
            )
        return found


def has_ended(status: str) -> bool:
    """Return whether a job in this state has done what it will ever do."""
    return status not in LIVE and status != DEDUPED
