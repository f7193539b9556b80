"""One job for each scene that a search has found, submitted through Mozart.

Safe to repeat, also by two searches at once: a child that is under way is not submitted again, and
where both submit, HySDS drops one of the two (see `alos2.hysds.jobbook`). Deliveries that the
catalogue holds are left out. What was done and why is told in one line each.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final, Literal, Protocol, TypeAlias

from alos2.catalogue.grq import GrqCatalogue
from alos2.catalogue.rest import Rest
from alos2.errors import PublishFailed
from alos2.hysds.children import Item, child_params, delivery_id, job_type
from alos2.hysds.cluster import connect, find_cluster
from alos2.hysds.jobbook import DEDUPED, Child, JobIndex, child_key, payload_hash
from alos2.hysds.mozart import Mozart, Submission, has_ended, job_name
from alos2.hysds.workdir import WorkDir
from alos2.types import Logins

log = logging.getLogger(__name__)

Outcome: TypeAlias = Literal["submitted", "under way", "held"]

_FIRST_TAG: Final = "alos2_fan_out"
_MOST_PROBES: Final = 64
_JUST_NOW: Final = timedelta(seconds=60)
"""A catalogue shows a dataset some seconds after the job that made it has ended."""


class Catalogue(Protocol):
    """Knows which deliveries have become datasets."""

    def holds(self, data_id: str) -> str | None:
        """Return the id of a dataset made of the delivery, or None."""


@dataclass(frozen=True)
class Line:
    """What became of one item."""

    item: str
    """What it is looked up by."""
    outcome: Outcome
    name: str
    """Of the job, or of the dataset that is held."""
    reason: str = ""
    generation: int | None = None

    def __str__(self) -> str:
        why = f" ({self.reason})" if self.reason else ""
        if self.outcome == "held":
            return f"{self.item}: left out, held as {self.name}{why}"
        if self.outcome == "under way":
            return f"{self.item}: left out, under way as job {self.name}{why}"
        return f"{self.item}: submitted as job {self.name}{why}"


@dataclass(frozen=True)
class Terms:
    """How children are submitted.

    Parameters
    ----------
    context
        The parent's ``_context.json``.
    tags
        The first is the one that Figaro shows; default: the parent's own.
    priority
        0 to 9; default: the parent's own.
    username
        Whose jobs they are.
    resubmit
        Submit also what is held or under way.
    patience_s
        Where the index of Mozart's jobs is not known: how long to wait until Mozart says whether
        a job was dropped as a copy, seconds.
    """

    context: Mapping[str, Any]
    tags: tuple[str, ...] = ()
    priority: int | None = None
    username: str | None = None
    resubmit: bool = False
    patience_s: float = 60.0


class MozartFanOut:
    """Runs a job for each file, in HySDS.

    Parameters
    ----------
    mozart : Mozart
    terms : Terms
    catalogue : Catalogue, optional
        What it holds is left out. Without one, a child that has completed counts as if its dataset
        were there.
    jobs : JobIndex, optional
        Tells of earlier children. Without one Mozart is asked after each submission whether it was
        dropped as a copy, and of what.
    connections : sequence of Rest
        What `close` closes.
    """

    def __init__(
        self,
        mozart: Mozart,
        terms: Terms,
        *,
        catalogue: Catalogue | None = None,
        jobs: JobIndex | None = None,
        connections: Sequence[Rest] = (),
    ) -> None:
        self._mozart = mozart
        self._terms = terms
        self._catalogue = catalogue
        self._jobs = jobs
        self._connections = connections
        self._type = job_type(terms.context)
        self.lines: list[Line] = []

    def close(self) -> None:
        """Let go of its connections; may be called twice."""
        for rest in self._connections:
            rest.close()

    def submit(self, item: Item, *, queue: str | None) -> Line:
        """Submit a job that ingests `item`, if none is needed no more; say what became of it.

        Raises
        ------
        PublishFailed
            Mozart does not take it, or the catalogue or the index of jobs does not answer.
        LoginFailed
            One of them wants another login.
        UsageError
            The parent's parameters or the queue are of no use for a child.
        """
        line = self._submit(item, queue or "")
        self.lines.append(line)
        log.info("%s", line)
        return line

    def _submit(self, item: Item, queue: str) -> Line:
        what = delivery_id(item)
        resubmit = self._terms.resubmit
        held = self._catalogue.holds(what) if self._catalogue and not resubmit else None
        if held is not None:
            return Line(what, "held", held)
        key = child_key(item.provider, what)
        if self._jobs is None:
            return self._probe(item, queue, key)
        before = self._jobs.children(key)
        if before and not resubmit:
            reason = self._left_out(before)
            if reason is not None:
                return Line(what, "under way", before[0].id, reason, before[0].generation)
        generation = before[0].generation + 1 if before else 0
        submission = self._submission(item, queue, payload_hash(key, generation))
        receipt = self._mozart.submit(submission, look_up=lambda: self._known(key, generation))
        return Line(what, "submitted", receipt.id, _why(before, resubmit=resubmit), generation)

    def _known(self, key: str, generation: int) -> str | None:
        """Return the job of a hash, if its answer was lost and not the job."""
        children = self._jobs.children(key) if self._jobs is not None else []
        return next((child.id for child in children if child.generation == generation), None)

    def _left_out(self, before: Sequence[Child]) -> str | None:
        """Return why no further child is needed; None if one is."""
        alive = next((child for child in before if child.live), None)
        if alive is not None:
            return alive.status
        last = before[0]
        if last.status == "job-completed":
            if self._catalogue is None:
                return "completed; no catalogue tells whether its dataset is still there"
            if last.when is not None and _now() - last.when < _JUST_NOW:
                return "completed just now"
        return None

    def _probe(self, item: Item, queue: str, key: str) -> Line:
        """Submit generation after generation, until one is not dropped as a copy of an old one."""
        what = delivery_id(item)
        for generation in range(_MOST_PROBES):
            submission = self._submission(item, queue, payload_hash(key, generation))
            receipt = self._mozart.submit(submission)
            status = self._mozart.settle(receipt.id, self._terms.patience_s)
            if status is None:
                reason = "Mozart has not said yet whether it runs"
                return Line(what, "submitted", receipt.id, reason, generation)
            if status != DEDUPED:
                return Line(what, "submitted", receipt.id, "", generation)
            original = self._mozart.original(receipt.id)
            found = self._mozart.status(original) if original else None
            # Of a job that Mozart has forgotten nothing more will come.
            ended = found is None or has_ended(found)
            if not self._terms.resubmit and (not ended or self._catalogue is None):
                return Line(what, "under way", original or receipt.id, found or "", generation)
        raise PublishFailed(
            f"{what} was ingested {_MOST_PROBES} times already",
            hint="set ALOS2_JOBS_URL, so that the last job for it can be looked up",
        )

    def _submission(self, item: Item, queue: str, digest: str) -> Submission:
        terms, context = self._terms, self._terms.context
        tags = terms.tags or (_text(context.get("tag")) or _FIRST_TAG,)
        more = (item.provider, item.eor_id or item.order_id or "")
        priority = terms.priority
        if priority is None:
            given = context.get("job_priority")
            priority = given if isinstance(given, int) and 0 <= given <= 9 else 0
        return Submission(
            job_type=self._type,
            queue=queue,
            params=child_params(context, item),
            payload_hash=digest,
            name=job_name(self._type.partition(":")[0].removeprefix("job-"), delivery_id(item)),
            tags=(*tags, *(tag for tag in more if tag)),
            priority=priority,
            username=terms.username or _text(context.get("username")),
        )


def for_work(
    work: WorkDir, queue: str, *, logins: Logins | None = None, resubmit: bool = False
) -> MozartFanOut:
    """Return the fan-out of the HySDS job in `work`: the value of an entry point for fan-outs.

    Parameters
    ----------
    work : WorkDir
        The parent's working directory.
    queue : str
        Of the children; named again with each of them.
    logins : callable, optional
        Gives the login for a host of the cluster; default: `alos2.hysds.cluster.accounts_for`.
    resubmit : bool
        Submit also what is held or under way.

    Raises
    ------
    UsageError
        Mozart's address is not known, an address is no URL, or ``_context.json`` is of no use.
    """
    log.debug("children go to the queue %s", queue)
    cluster = find_cluster(work.path)
    terms = Terms(work.context(), resubmit=resubmit)
    connections = [connect(cluster, "MOZART", logins=logins)]
    mozart = Mozart(connections[0])
    catalogue: GrqCatalogue | None = None
    if cluster.knows("GRQ") or "GRQ" in cluster.problems:
        connections.append(connect(cluster, "GRQ", logins=logins))
        catalogue = GrqCatalogue(connections[-1])
    else:
        log.warning("GRQ's address is not known: what it holds cannot be left out")
    jobs: JobIndex | None = None
    if cluster.knows("JOBS"):
        connections.append(connect(cluster, "JOBS", logins=logins))
        jobs = JobIndex(connections[-1])
    elif "JOBS" in cluster.problems:
        log.warning("%s; Mozart is asked about each job", cluster.problems["JOBS"].message)
    return MozartFanOut(mozart, terms, catalogue=catalogue, jobs=jobs, connections=connections)


def _why(before: Sequence[Child], *, resubmit: bool) -> str:
    """Return why there is another child after those `before`; empty for the first."""
    if not before:
        return ""
    last = before[0]
    if resubmit:
        return f"as asked for, though job {last.id} is {last.status}"
    return f"job {last.id} is {last.status}, and its dataset is not there"


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
