"""The walkers of a scan: started, given folders, asked to share, listened to.

Each walker has one of these folders' stacks; one that has nothing to do gets half of what lies
before another. What they tell comes through one short queue, so that a slow listener slows them
down instead of filling the memory.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, NamedTuple, cast

from alos2.errors import NoResource
from alos2.scan import wire
from alos2.scan.seen import Bits

_MESSAGES_AHEAD: Final = 8
_MOST_WALKERS: Final = 8
_FOLDERS_A_TASK: Final = 4096
_SOURCE_ROOT: Final = str(Path(__file__).resolve().parents[2])
# Without site: a walker needs nothing that is installed, but to look into a zip.
_START: Final = "import sys; sys.path.insert(0, {!r}); from alos2.scan.walker import main; main()"


class Order(NamedTuple):
    """What all walkers are told at the start."""

    known: Path | None
    skip: tuple[bytes, ...]
    settled_ns: int


class Hand:
    """One walker, seen from here; it waits for its order."""

    def __init__(self) -> None:
        self.busy = False
        self.asked = False
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-S", "-E", "-c", _START.format(_SOURCE_ROOT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for us, who then end them
            )
        except OSError as error:
            raise NoResource(
                f"no process can be started: {error.strerror or error}",
                hint="run again with fewer workers, or when the machine has more room",
            ) from error
        self.source = cast(BinaryIO, self.process.stdout)
        self.target = cast(BinaryIO, self.process.stdin)

    def tell(self, *message: Any) -> None:
        """Send it a message."""
        with suppress(BrokenPipeError):  # how it ended is told where its words are waited for
            wire.send(self.target, *message)

    def end(self) -> None:
        """End it, wherever it is."""
        self.process.kill()
        self.process.wait()
        self.source.close()
        with suppress(BrokenPipeError):
            self.target.close()


@contextmanager
def hired(count: int | None = None) -> Iterator[list[Hand]]:
    """Start walkers early, while the caller gets ready, and end them.

    Parameters
    ----------
    count : int, optional
        How many; as many as there are processors, 2 to 8, where it is not given.

    Raises
    ------
    NoResource
        No process can be started.
    """
    hands: list[Hand] = []
    try:
        for _ in range(count or max(2, min(_processors(), _MOST_WALKERS))):
            hands.append(Hand())
        yield hands
    finally:
        for hand in hands:
            hand.end()


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):  # what a batch job was given of its node
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Crew:
    """Some walkers at work; use with ``with``.

    Parameters
    ----------
    hands : sequence of Hand
        The walkers, which have done nothing yet. They are ended by the crew.
    order : Order
        What they are told.

    Attributes
    ----------
    met : Bits
        Ids of the known places that were met; whole after `dismiss`, as are the others.
    folders, files : int
        How many were looked at.
    """

    def __init__(self, hands: Sequence[Hand], order: Order) -> None:
        self.met = Bits()
        self.folders = 0
        self.files = 0
        self._tasks: deque[list[bytes]] = deque()
        self._words: queue.Queue[tuple[Hand, tuple[Any, ...] | None]] = queue.Queue(_MESSAGES_AHEAD)
        self._closing = False
        self._hands = hands
        self._threads: list[threading.Thread] = []
        known = os.fsencode(order.known.absolute()) if order.known else b""
        for hand in hands:
            hand.tell(sys.path, known, order.skip, order.settled_ns)
            thread = threading.Thread(target=self._listen, args=(hand,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all walkers, wherever they are."""
        self._closing = True
        for hand in self._hands:
            hand.process.kill()
        for thread in self._threads:
            while thread.is_alive():
                self._drain()
                thread.join(0.01)
        for hand in self._hands:
            hand.end()

    def _drain(self) -> None:
        try:
            while True:
                self._words.get_nowait()
        except queue.Empty:
            pass

    def _listen(self, hand: Hand) -> None:
        try:
            while not self._closing:
                self._words.put((hand, wire.receive(hand.source)))
        except (EOFError, OSError, ValueError):
            if not self._closing:
                self._words.put((hand, None))

    def walk(self, folders: Iterable[bytes]) -> Iterator[tuple[Any, ...]]:
        """Go through folders and all below them.

        Yields
        ------
        tuple
            As :mod:`alos2.scan.wire` says of items.

        Raises
        ------
        NoResource
            A walker was killed.
        """
        self._tasks.extend([folder] for folder in folders)
        self._deal()
        while any(hand.busy for hand in self._hands):
            hand, (word, *values) = self._next()
            if word == wire.ITEMS:
                yield from values[0]
                continue
            hand.asked = False
            if word == wire.IDLE:
                hand.busy = False
            elif word == wire.SPARE:
                self._put(values[0])
            self._deal()

    def dismiss(self) -> None:
        """Let them tell what they met, and end.

        Raises
        ------
        NoResource
            A walker was killed.
        """
        for hand in self._hands:
            hand.tell(wire.END)
        for _ in self._hands:
            _, (_, met, folders, files) = self._next()
            self.met.update(met)
            self.folders += folders
            self.files += files

    def _next(self) -> tuple[Hand, tuple[Any, ...]]:
        hand, message = self._words.get()
        if message is None:
            code = hand.process.wait()
            how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
            raise NoResource(
                f"a process that walked through the folders ended {how}",
                hint="run the same scan again, with fewer workers if memory is short",
            )
        return hand, message

    def _put(self, folders: list[bytes]) -> None:
        for start in range(0, len(folders), _FOLDERS_A_TASK):
            self._tasks.append(folders[start : start + _FOLDERS_A_TASK])

    def _deal(self) -> None:
        """Give tasks to those who have none; where there are none left, ask for some."""
        for hand in self._hands:
            if not hand.busy and self._tasks:
                hand.busy = True
                hand.asked = False
                hand.tell(wire.WALK, self._tasks.popleft())
        if all(hand.busy for hand in self._hands):
            return
        for hand in self._hands:
            if hand.busy and not hand.asked:
                hand.asked = True
                hand.tell(wire.SHARE)
