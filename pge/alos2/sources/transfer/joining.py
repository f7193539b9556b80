"""Does a reply belong to what is here: the same object, and the part that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from alos2.sources.remote import Changed, Misplaced, Reply
from alos2.sources.sniff import SNIFF_BYTES
from alos2.sources.transfer.checks import Check
from alos2.sources.transfer.places import Place, finished
from alos2.sources.transfer.sidecar import Record


def require_same(here: Record, size: int, reply: Reply, offset: int) -> None:
    """Refuse a reply that cannot continue what is here.

    Parameters
    ----------
    here : Record
        What is known of the object whose first `size` bytes are here.
    size : int
        Bytes that are here.
    reply : Reply
        What came.
    offset : int
        What was asked for; at most `size`.

    Raises
    ------
    Misplaced
        It begins somewhere else.
    Changed
        It is of another object: its size or validator says so. No validator, or one of another
        kind, says nothing; then the overlap and the check of the whole file must.
    """
    if reply.offset != offset:
        raise Misplaced(f"a part was sent that begins at byte {reply.offset}, not {offset}")
    if here.total is not None and reply.total not in (None, here.total):
        raise Changed(f"the file has {reply.total} bytes now and had {here.total}")
    if reply.total is not None and reply.total < size:
        raise Changed(f"the file has {reply.total} bytes now, fewer than are here")
    mine, theirs = here.validator, reply.validator
    if mine is not None and theirs is not None and mine.kind == theirs.kind and mine != theirs:
        raise Changed("the file has changed where it lies")


def same_file(folder: Path, url: str, reply: Reply) -> tuple[Place, Record] | None:
    """Return the finished file of `url` in `folder` that is what the server has, if there is one.

    Without a validator nobody can tell.
    """
    if reply.validator is None:
        return None
    for place, record in finished(folder, url):
        if record.validator == reply.validator and reply.total in (None, record.size):
            return place, record
    return None


def head_of(body: Iterator[bytes], check: Check | None) -> tuple[bytes, Iterator[bytes]]:
    """Return as many of the first bytes as `check` needs, and the body from its start."""
    head: list[bytes] = []
    size = 0
    while size < SNIFF_BYTES:
        piece = next(body, None)
        if piece is None:
            break
        head.append(piece)
        size += len(piece)
        if check is None or check.enough(b"".join(head)):
            break
    return b"".join(head)[:SNIFF_BYTES], chain(head, body)
