"""Is what comes now the continuation of what is here: the bytes that both have are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from alos2.sources.remote import Changed


def after_overlap(
    body: Iterator[bytes], held: Callable[[int, int], bytes], start: int, end: int
) -> Iterator[bytes]:
    """Yield what `body` brings behind `end`, after comparing what it brings before.

    Parameters
    ----------
    body : iterator of bytes
        Begins at offset `start` of the object.
    held : callable
        (offset, count) -> the bytes that are here.
    start, end : int
        Offsets of the overlap in the object, bytes.

    Raises
    ------
    Changed
        They differ: the object is another one.
    """
    at = start
    for piece in body:
        both = min(len(piece), end - at)
        if both > 0:
            if piece[:both] != held(at, both):
                raise Changed(f"the file has changed where it lies: it differs near byte {at}")
            at += both
            if both == len(piece):
                continue
            yield piece[both:]
        else:
            yield piece
