"""The seam between a portal's files and whatever runs one job for each of them.

Who can run jobs elsewhere (HySDS's queues, a cluster's scheduler) adds an entry point of the
group ``alos2.fan_out``: its name is ``hysds`` for the one that is used in a HySDS worker's
directory (in place of our own, which speaks to Mozart), its value a `FanOutFactory`, which returns
a `FanOut`. Without one, the files are ingested in the present process, a few downloads at a time:
see `alos2.jobs.portal`.

What a child job is told: the item's ``data_id`` and, as ``data_eor_id``, the observation request
under which it was found, which nobody could find out from the data id alone. Never a credential;
at most the name of one.
"""

from __future__ import annotations

import logging
from importlib.metadata import entry_points
from typing import Final, Literal, Protocol, TypeAlias, cast

from alos2.errors import UsageError
from alos2.hysds.workdir import WorkDir
from alos2.sources.portals.model import Item

log = logging.getLogger(__name__)

ENTRY_POINT_GROUP: Final = "alos2.fan_out"
"""Entry points of this group run jobs elsewhere; ``hysds`` is the one looked for here."""

_OURS: Final = "alos2."

NOT_SUBMITTED: Final = (
    "queue {queue!r} was named, but nothing here can submit jobs to it: the files are ingested in "
    "this job"
)


Handed: TypeAlias = Literal["submitted", "under way", "held"]
"""What became of an item: a job of its own, or none, as one is at work or was."""


class Line(Protocol):
    """What became of one item; its text is a line that begins with the item's id."""

    @property
    def outcome(self) -> Handed:
        """In a word."""


class FanOut(Protocol):
    """Runs a job for one file, somewhere else and later."""

    def submit(self, item: Item, *, queue: str | None) -> Line:
        """Submit a job that ingests `item`, if one is needed; tell, with the job's id.

        Must be safe to repeat: the same item submitted twice makes one job.

        Raises
        ------
        PublishFailed
            The queue does not take it.
        """
        ...

    def close(self) -> None:
        """Let go of connections; nothing is submitted any more."""


class FanOutFactory(Protocol):
    """Makes a `FanOut` for the job in a directory."""

    def __call__(self, work: WorkDir, queue: str, *, resubmit: bool) -> FanOut:
        """Return what runs jobs on `queue`; with `resubmit` also what is held or under way."""


def fan_out_for(work: WorkDir, queue: str | None, *, resubmit: bool = False) -> FanOut | None:
    """Return what runs jobs on `queue`; None where the present job has to do it all.

    Parameters
    ----------
    work : WorkDir
        The job's directory; only in one of a HySDS worker is anything submitted.
    queue : str, optional
        Name of the queue for the children; None or empty: there shall be none.
    resubmit : bool, optional
        Whether also what is held or under way gets a job.

    Raises
    ------
    UsageError
        The plugin for HySDS is installed and cannot be loaded.
    """
    if not queue or not work.is_hysds:
        return None
    found = entry_points(group=ENTRY_POINT_GROUP, name="hysds")
    # Ours is the last: who installs another one wants that.
    for plugin in sorted(found, key=lambda plugin: plugin.module.startswith(_OURS)):
        try:
            factory = cast(FanOutFactory, plugin.load())
        except (ImportError, AttributeError) as error:
            raise UsageError(
                f"the plugin {plugin.value!r} that submits jobs cannot be loaded: {error}",
                hint="install it again, or remove it",
            ) from error
        return factory(work, queue, resubmit=resubmit)
    log.warning("%s", NOT_SUBMITTED.format(queue=queue))
    return None
