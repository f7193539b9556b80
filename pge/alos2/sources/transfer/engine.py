"""The one engine behind all schemes: open, join or begin, store, check, name; again after faults.

A body becomes ``<name>.part``, is continued by the next try or the next run, and gets its name
only when it is whole. What may be joined to bytes that are here already is decided here alone:
the server began where it was asked to, its object has the size and validator of ours, and the
bytes that both have are the same. What was joined is read once more at the end, where the check
knows how; if it does not fit together after all, it is transferred again in one piece.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from alos2.dataset.provenance import public_url
from alos2.errors import Alos2Error, BadArchive
from alos2.sources.filename import stored_name
from alos2.sources.model import (
    Cancelled,
    Fetched,
    TransferOptions,
    TransferProgress,
    stop_if,
)
from alos2.sources.remote import Changed, Misplaced, Passing, Remote, Reply
from alos2.sources.store import make_folder, publish, require_space
from alos2.sources.transfer.checks import Check, zip_check
from alos2.sources.transfer.joining import head_of, require_same, same_file
from alos2.sources.transfer.lock import TargetLock
from alos2.sources.transfer.overlap import after_overlap
from alos2.sources.transfer.places import Place, claim, lock_of, unfinished
from alos2.sources.transfer.sidecar import Record, write_record
from alos2.sources.transfer.sink import Sink, part_bytes
from alos2.sources.transfer.waits import Budget, pause

log = logging.getLogger(__name__)

_CONFIRMED_OVERLAP: Final = 1 << 16
"""Bytes compared where a validator has confirmed the object already: servers have faults too."""
_MOST_MISPLACED: Final = 2


def transfer(
    remote: Remote,
    work_dir: Path,
    *,
    name: str | None = None,
    progress: TransferProgress | None = None,
    cancel: Cancelled | None = None,
    options: TransferOptions = TransferOptions(),  # noqa: B008
    check: Check | None = zip_check,
) -> Fetched:
    """Bring `remote` into `work_dir`, from where an earlier run ended.

    A part of it is kept, with what is known of it in ``<name>.part.json``, whenever the transfer
    ends before its time: a fault that does not pass, Ctrl-C, SIGTERM, SIGKILL. It is found again
    by the remote's public URL. A file that was finished before is taken as it is if its receipt
    and the server agree on size and validator.

    Parameters
    ----------
    remote : Remote
        What to transfer.
    work_dir : Path
        Takes the file; made if it is missing.
    name : str, optional
        The file's name; else what the server suggests, else what the URL ends with. Where another
        file has it, a number is added.
    progress : callable, optional
        Called with (bytes there, bytes expected or None).
    cancel : callable, optional
        Asked after each read; True ends the transfer with `Interrupted`.
    options : TransferOptions, optional
        Patience.
    check : Check, optional
        What the file must be; None: anything.

    Raises
    ------
    LoginFailed, NothingFound, TransferFailed
        It did not arrive.
    BadArchive
        It is not what `check` wants. Nothing of it is kept.
    NoSpace, NoResource
        The disk cannot hold it, or another process has been transferring it for too long.
    Interrupted
        `cancel` said so.
    """
    make_folder(work_dir)
    url = public_url(remote.url)
    with TargetLock(lock_of(work_dir, url), wait_s=options.lock_wait_s, cancel=cancel):
        return _Transfer(
            _Order(remote, url, work_dir, name, progress, cancel, options, check)
        ).run()


@dataclass(frozen=True)
class _Order:
    """What stays the same over all tries; see `transfer`."""

    remote: Remote
    url: str
    work_dir: Path
    name: str | None
    progress: TransferProgress | None
    cancel: Cancelled | None
    options: TransferOptions
    check: Check | None


@dataclass(frozen=True)
class _Done:
    """The file is there."""

    place: Place
    record: Record
    retrieved: datetime


class _Transfer:
    """One object on its way, over all tries."""

    def __init__(self, order: _Order) -> None:
        self._remote = order.remote
        self._url = order.url
        self._work_dir = order.work_dir
        self._name = order.name
        self._progress = order.progress
        self._cancel = order.cancel
        self._options = order.options
        self._check = order.check
        self._budget = Budget(order.options, order.remote.where)
        self._sink: Sink | None = None
        self._anew = False
        """The next try begins at the first byte, whatever is here."""
        self._misplaced = 0
        self._distrusted = False
        """A file that was joined turned out to be damaged, so this one comes in one piece."""

    def run(self) -> Fetched:
        began = time.monotonic()
        kept = 0
        try:
            try:
                self._load()
                done = self._tries()
            finally:
                # Also after Ctrl-C and SIGTERM, which come as exceptions.
                kept = self._sink.close() if self._sink is not None else 0
        except Alos2Error as error:
            raise self._with_kept(error, kept) from None
        return Fetched(
            done.place.target,
            self._url,
            done.record.size,
            done.record.sha256,
            done.retrieved,
            time.monotonic() - began,
            True,
        )

    def _with_kept(self, error: Alos2Error, kept: int) -> Alos2Error:
        """Return `error`, with a hint to what is kept."""
        if not kept:
            return error
        total = self._sink.record.total if self._sink is not None else None
        of = f" of {total}" if total is not None else ""
        said = f"{kept} bytes{of} are kept: the same command continues there"
        return type(error)(error.message, hint=f"{error.hint}; {said}" if error.hint else said)

    def _load(self) -> None:
        """Take over what an earlier run left."""
        found = unfinished(self._work_dir, self._url)
        if found is None:
            return
        place, record = found
        self._sink = Sink(place, record, self._options)
        if not record.size:
            return
        if self._sink.load(self._cancel):
            log.info("%s: continuing at byte %d", place.target.name, record.size)
            self._budget.progress(record.size)
        else:
            log.warning("%s: what is here is damaged; beginning anew", place.target.name)

    def _tries(self) -> _Done:
        while True:
            stop_if(self._cancel)
            try:
                return self._once()
            except Changed as error:
                self._anew = True
                fault = Passing(str(error))
            except Misplaced as error:
                self._misplaced += 1
                self._anew = self._anew or self._misplaced >= _MOST_MISPLACED
                fault = error
            except Passing as error:
                fault = error
            wait_s = self._budget.spend(fault)
            log.warning("%s: %s; trying again in %.1f s", self._remote.where, fault, wait_s)
            pause(wait_s, self._cancel)

    def _once(self) -> _Done:
        offset = self._offset()
        validator = self._sink.record.validator if offset and self._sink is not None else None
        with self._remote.open(offset, validator) as reply:
            if reply.offset == 0:
                done = self._already(reply)
                if done is not None:
                    return done
                body = self._begin(reply)
            else:
                body = self._join(reply, offset)
            self._misplaced = 0
            self._receive(body)
            exact = reply.exact
        return self._finish(exact=exact)

    def _offset(self) -> int:
        """Return where to go on: before the end of what is here, so that there is an overlap."""
        if self._sink is None or self._anew:
            return 0
        overlap = self._options.overlap_bytes
        if self._sink.record.validator is not None:
            overlap = min(overlap, _CONFIRMED_OVERLAP)
        return max(0, self._sink.size - overlap)

    def _already(self, reply: Reply) -> _Done | None:
        """Return the file that an earlier run finished, if it is what the server has."""
        found = same_file(self._work_dir, self._url, reply) if self._sink is None else None
        if found is None:
            return None
        place, record = found
        log.info("%s is here already", place.target)
        if self._progress is not None:
            self._progress(record.size, record.size)
        when = place.target.stat().st_mtime
        return _Done(place, record, datetime.fromtimestamp(when, timezone.utc))

    def _begin(self, reply: Reply) -> Iterator[bytes]:
        """Begin at the first byte; what is here is given up only for what looks right."""
        head, body = head_of(reply.body, self._check)
        if self._check is not None:
            self._check.head(head, content_type=reply.content_type, where=self._remote.where)
        self._require_room(reply.total)
        if self._sink is None:
            suffix = self._check.suffix if self._check is not None else ""
            name = stored_name((self._name or "", reply.name), self._url, suffix)
            record = Record(self._url, name, reply.validator, reply.total)
            place, record = claim(self._work_dir, name, record)
            try:
                self._sink = Sink(place, record, self._options)
            except Alos2Error:
                place.discard()
                raise
        name = self._sink.place.target.name
        self._sink.restart(Record(self._url, name, reply.validator, reply.total))
        self._anew = False
        return body

    def _require_room(self, total: int | None) -> None:
        if total is None:
            return
        here = part_bytes(self._sink.place.part) if self._sink is not None else 0
        needed = max(0, int(total * max(1.0, self._options.room)) - here)
        require_space(self._work_dir, needed, self._options.margin_bytes)

    def _join(self, reply: Reply, offset: int) -> Iterator[bytes]:
        """Go on where we are, if this is the same object."""
        sink = self._sink
        if sink is None:
            raise Misplaced("a part was sent where the whole was asked for")
        here = sink.record
        require_same(here, sink.size, reply, offset)
        total = here.total if here.total is not None else reply.total
        self._require_room(total)
        sink.record = replace(here, total=total, joined=True)
        if self._progress is not None:
            self._progress(sink.size, total)
        return after_overlap(reply.body, sink.held, offset, sink.size)

    def _receive(self, body: Iterator[bytes]) -> None:
        sink = self._sink
        if sink is None:
            return
        total = sink.record.total
        for piece in body:
            stop_if(self._cancel)
            if total is not None and sink.size + len(piece) > total:
                raise Changed(f"more bytes come than the {total} that were promised")
            sink.write(piece)
            self._budget.progress(sink.size)
            if self._progress is not None:
                self._progress(sink.size, total)
        if total is not None and sink.size < total:
            raise Passing(f"{sink.size} bytes arrived of {total}")

    def _finish(self, *, exact: bool) -> _Done:
        """Check the whole part and give it its name."""
        sink = self._sink
        if sink is None:
            raise Passing("nothing arrived")
        problem = self._problem(sink)
        if problem and sink.record.total is None and not exact:
            raise Passing(f"the transfer broke off: the file is not whole, {problem}")
        if problem and sink.record.joined and not self._distrusted:
            self._distrusted = True
            raise Changed(f"what was joined does not fit together: {problem}")
        if problem:
            self._discard(sink)
            what = self._check.what if self._check is not None else "whole"
            raise BadArchive(
                f"{sink.place.target.name} from {self._remote.where} is not {what}: {problem}",
                hint="the file is damaged where it lies: ask the sender for another copy",
            )
        record = sink.finish()
        # The receipt first: without its file it means nothing.
        write_record(sink.place.receipt, replace(record, total=record.size))
        sink.release()
        publish(sink.place.part, sink.place.target)
        with contextlib.suppress(OSError):
            sink.place.sidecar.unlink(missing_ok=True)
        return _Done(sink.place, record, datetime.now(timezone.utc))

    def _problem(self, sink: Sink) -> str:
        if self._check is None:
            return ""
        problem = self._check.whole(sink.place.part)
        if not problem and sink.record.joined:
            # A validator may lie, and an overlap is not the whole.
            log.info("%s: comparing every byte with its checksum", sink.place.target.name)
            problem = self._check.every_byte(sink.place.part)
        return problem

    def _discard(self, sink: Sink) -> None:
        sink.finish()
        sink.release()
        sink.place.discard()
        self._sink = None
