"""How a dataset comes to a place that no lock of the system guards: under a marker, step by step.

What is the same for S3 and WebDAV: look, become the owner, undo what a killed publisher left, look
again, send, switch, let go; and undo all of it where something fails.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from itertools import chain
from types import TracebackType

from alos2.errors import Alos2Error, DatasetDiffers, Interrupted, PublishFailed
from alos2.publish.compare import Remote, differences, refuse
from alos2.publish.marker import Marker, MarkerObject
from alos2.publish.model import Entry, PublishOptions, Status

log = logging.getLogger(__name__)


class MarkedTransaction(ABC):
    """See `alos2.publish.model.Transaction`.

    Parameters
    ----------
    files : tuple of Entry
        What shall be there.
    label : str
        The dataset's id.
    marker : MarkerObject
        Where the marker stands.
    shown : str
        The place, for messages.
    options : PublishOptions
        How to publish.
    """

    def __init__(
        self,
        files: tuple[Entry, ...],
        label: str,
        marker: MarkerObject,
        shown: str,
        options: PublishOptions,
    ) -> None:
        self.status: Status = "new"
        self._files = files
        self._label = label
        self._options = options
        self._shown = shown
        self._marker = Marker(marker, shown, options)
        self._is_owner = False
        self._seen: dict[str, int] = {}
        self._resumes = False
        """Whether we go on with what a killed publisher sent to an empty place."""

    @abstractmethod
    def _remote(self) -> Remote | None:
        """Look what is at the place; None where there is nothing."""

    @abstractmethod
    def _make_way(self) -> None:
        """Make the folders above the place, which the marker needs too."""

    @abstractmethod
    def _recover(self) -> bool:
        """Undo what the killed publisher of the journal began; True to go on with it instead."""

    @abstractmethod
    def _send(self) -> None:
        """Send the files and verify them; what was at the place is untouched."""

    @abstractmethod
    def _switch(self) -> None:
        """Put what was sent in its place."""

    @abstractmethod
    def _drop(self) -> None:
        """Remove what is no longer needed, once the new dataset is in its place."""

    @abstractmethod
    def _undo(self) -> None:
        """Take away what we sent and put back what was there, as far as we came."""

    def __enter__(self) -> MarkedTransaction:
        found = None
        while not self._is_owner:
            found = self._marker.find()
            if found is None:
                if not self._look_from_outside():
                    continue
                if self.status == "unchanged":
                    return self
                self._make_way()
            self._is_owner = self._marker.acquire(found)
        is_clean = found is None
        try:
            if found is not None:
                self._resumes = self._recover()
                is_clean = not self._resumes
            self._look()  # somebody may have been here between our look and our marker
            if self.status != "unchanged" and not self._resumes:
                self._marker.begin_anew("new" if self.status == "new" else "replace")
        except BaseException:
            self._let_go(remove=is_clean)
            raise
        if self.status == "unchanged":
            self._let_go(remove=True)
        return self

    def _let_go(self, *, remove: bool) -> None:
        """End our ownership; the marker stays where something is still to be undone."""
        self._is_owner = False
        self._marker.leave()
        if not remove:
            return
        try:
            self._marker.release()
        except Alos2Error as error:
            log.warning("%s: the marker could not be taken away: %s", self._shown, error)

    def _look_from_outside(self) -> bool:
        """Look without owning the place; False where somebody was at work: look again.

        Their marker may come after we looked for it, and their files while we list them.
        """
        try:
            self._look()
        except (DatasetDiffers, PublishFailed):
            seen = self._seen
            remote = self._remote()
            if self._marker.find() is None and (remote.sizes() if remote else {}) == seen:
                raise
            self._marker.wait()
            return False
        return True

    def _look(self) -> None:
        """Find out what is there and what is to be done about it."""
        remote = self._remote()
        self._seen = dict(remote.sizes()) if remote is not None else {}
        self.status = "new"
        if remote is None or self._resumes:
            return
        found = differences(self._files, self._label, remote, self._options)
        first = next(found, None)
        if first is None:
            self.status = "unchanged"
            return
        if not self._options.force:
            refuse(chain([first], found), self._shown)
        self.status = "replaced"

    def stage(self) -> None:
        """Send the files and verify them.

        Raises
        ------
        PublishFailed, NoResource
            They could not be sent, or are not there as they should be.
        Interrupted
            The caller wanted to stop.
        """
        if not self._is_owner:
            return
        try:
            self._send()
        except Interrupted:
            if self._marker.is_lost:
                raise self._marker.lost() from None
            raise

    def commit(self) -> None:
        """Put them in their place.

        Raises
        ------
        PublishFailed, NoResource
            That was not possible, or another publisher has taken over.
        """
        if self._is_owner:
            self._switch()

    def finish(self) -> None:
        """Drop what would be needed to undo it, and the marker.

        Raises
        ------
        PublishFailed
            The marker cannot be removed, or another publisher has taken over.
        """
        if not self._is_owner:
            return
        self._marker.note(phase="done")
        self._drop()
        self._marker.release()
        self._is_owner = False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._is_owner:
            return
        try:
            if self._marker.is_ours():
                self._undo()
                self._marker.release()
        except Alos2Error as problem:
            log.warning(
                "%s could not be put back as it was; the next publisher will do that: %s",
                self._shown,
                problem,
            )
        finally:
            self._marker.leave()
            self._is_owner = False
