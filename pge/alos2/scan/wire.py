"""What the process that scans and its walkers say to each other: frames of plain values."""

from __future__ import annotations

import marshal
from typing import Any, BinaryIO, Final

FOUND: Final = 0
"""(path, place id, digest, problem, units as tuples without their place)."""
TROUBLE: Final = 1
"""(path, sentence)."""
SETTLING: Final = 2
"""(path, ns)."""
LINK: Final = 3
"""(path): a link to a folder."""

WALK: Final = "walk"
"""To a walker: go through these folders."""
SHARE: Final = "share"
"""To a walker: give half of what lies before you."""
END: Final = "end"
"""To a walker: say what you have met, and end. From one: that."""
ITEMS: Final = "items"
"""From a walker: what was found."""
SPARE: Final = "spare"
"""From a walker: folders for another."""
IDLE: Final = "idle"
"""From a walker: all is done."""

_LENGTH_BYTES: Final = 8


def send(pipe: BinaryIO, *message: Any) -> None:
    """Write one message: a word and its values."""
    # Both ends are the same interpreter, started by each other: marshal is pickle without classes,
    # and twice as fast.
    data = marshal.dumps(message)
    pipe.write(len(data).to_bytes(_LENGTH_BYTES, "little") + data)
    pipe.flush()


def receive(pipe: BinaryIO) -> tuple[Any, ...]:
    """Read one message.

    Raises
    ------
    EOFError
        The other end has gone.
    """
    head = pipe.read(_LENGTH_BYTES)
    size = int.from_bytes(head, "little")
    data = pipe.read(size) if len(head) == _LENGTH_BYTES else b""
    if len(head) < _LENGTH_BYTES or len(data) < size:
        raise EOFError
    message: tuple[Any, ...] = marshal.loads(data)  # noqa: S302 - our own process wrote it
    return message
