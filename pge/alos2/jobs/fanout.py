"""The seam between a portal's files and whatever runs one job for each of them.

Who can run jobs elsewhere (HySDS's queues, a cluster's scheduler) adds an entry point of the
group ``alos2.fan_out``: its name is ``hysds`` for the one that is used in a HySDS worker's
directory, its value a callable that takes ``(work: WorkDir, queue: str)`` and returns a `FanOut`.
Without one, the files are ingested in the present process, a few downloads at a time: see
`alos2.jobs.portal`.

What a child job is told: the item's ``data_id`` and, as ``data_eor_id``, the observation request
under which it was found, which nobody could find out from the data id alone. Never a credential;
at most the name of one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Final, Protocol, cast

from alos2.errors import UsageError
from alos2.hysds.workdir import WorkDir
from alos2.sources.portals.model import Item

log = logging.getLogger(__name__)

ENTRY_POINT_GROUP: Final = "alos2.fan_out"
"""Entry points of this group run jobs elsewhere; ``hysds`` is the one looked for here."""

NOT_SUBMITTED: Final = (
    "queue {queue!r} was named, but nothing here can submit jobs to it: the files are ingested in "
    "this job"
)


class FanOut(Protocol):
    """Runs a job for one file, somewhere else and later."""

    def submit(self, item: Item, *, queue: str | None) -> str:
        """Submit a job that ingests `item`; return one line about it, with the job's id.

        Must be safe to repeat: the same item submitted twice makes one job.

        Raises
        ------
        PublishFailed
            The queue does not take it.
        """
        ...


FanOutFactory = Callable[[WorkDir, str], FanOut]


def fan_out_for(work: WorkDir, queue: str | None) -> FanOut | None:
    """Return what runs jobs on `queue`; None where the present job has to do it all.

    Parameters
    ----------
    work : WorkDir
        The job's directory; only in one of a HySDS worker is anything submitted.
    queue : str, optional
        Name of the queue for the children; None or empty: there shall be none.

    Raises
    ------
    UsageError
        The plugin for HySDS is installed and cannot be loaded.
    """
    if not queue or not work.is_hysds:
        return None
    for plugin in entry_points(group=ENTRY_POINT_GROUP, name="hysds"):
        try:
            factory = cast(FanOutFactory, plugin.load())
        except (ImportError, AttributeError) as error:
            raise UsageError(
                f"the plugin {plugin.value!r} that submits jobs cannot be loaded: {error}",
                hint="install it again, or remove it",
            ) from error
        return factory(work, queue)
    log.warning("%s", NOT_SUBMITTED.format(queue=queue))
    return None
