"""The mark of a dataset that is being published: a small object that only one publisher can own.

It is there before the first file and gone after the last, names who works on it and how far it got
(the journal), and is written anew as a sign of life. Whoever finds one waits for its owner; one
whose owner was killed is taken over, and the journal says what there is to be undone.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from alos2.errors import Alos2Error, PublishFailed
from alos2.publish.holder import Holder, myself
from alos2.publish.model import PublishOptions
from alos2.publish.parallel import stop_if

log = logging.getLogger(__name__)

MARKER_NAME: Final = ".alos2-incomplete"
_LOOK_S: Final = 1.0
"""How often somebody who waits looks again."""


@dataclass(frozen=True)
class Found:
    """A marker as it stands in the store."""

    data: bytes
    tag: str
    """Names this state of it (an entity tag); empty where the store has none."""
    age_s: float
    """Since it was written, by the store's own clock."""


class MarkerObject(Protocol):
    """One small object of a store."""

    def read(self) -> Found | None:
        """Return it; None where there is none."""

    def create(self, data: bytes) -> bool:
        """Write it if it is not there; False if it was there."""

    def replace(self, data: bytes, tag: str) -> bool:
        """Write it if it is still in the state `tag`; False if it is not."""

    def delete(self) -> None:
        """Remove it, if it is there."""


@dataclass
class Journal:
    """What a publisher has to say to the one who finds its marker."""

    token: str
    """Says whose marker it is."""
    holder: Holder
    work: str = ""
    """Names the hidden folders of this piece of work; kept when it is taken over."""
    kind: str = "replace"
    """``new``: nothing was at the place before; ``replace``: something may have been."""
    phase: str = "staging"
    """``staging``, ``switching``, ``done``."""
    old: list[str] = field(default_factory=list)
    """While switching: the names of all files that were at the place before."""
    beat: int = 0

    def to_bytes(self) -> bytes:
        """Return it as the marker holds it."""
        document = {
            "what": "a dataset is being published here; its files are not complete",
            "by": "alos2-ingest",
            "token": self.token,
            "holder": self.holder.to_json(),
            "work": self.work,
            "kind": self.kind,
            "phase": self.phase,
            "old": self.old,
            "beat": self.beat,
        }
        return json.dumps(document, indent=1).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Journal:
        """Read a marker; one that cannot be read says only that somebody was here."""
        try:
            document: Any = json.loads(data)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            document = {}
        holder, old = document.get("holder"), document.get("old")
        return cls(
            str(document.get("token", "")),
            Holder.from_json(holder if isinstance(holder, dict) else {}),
            str(document.get("work", "")),
            str(document.get("kind", "replace")),
            str(document.get("phase", "staging")),
            [str(name) for name in old] if isinstance(old, list) else [],
        )


class Marker:
    """The marker of one place, and our ownership of it.

    Parameters
    ----------
    store : MarkerObject
        Where it lies.
    label : str
        What is being published, for messages.
    options : PublishOptions
        Patience and beats.
    """

    def __init__(self, store: MarkerObject, label: str, options: PublishOptions) -> None:
        self._store = store
        self._label = label
        self._options = options
        self._lock = threading.Lock()
        self._tag = ""
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._deadline = time.monotonic() + options.patience_s
        self._said = False
        self.is_lost = False
        token = secrets.token_hex(6)
        self.journal = Journal(token, myself(), token)

    def find(self) -> Found | None:
        """Return the marker that is there now."""
        return self._store.read()

    def acquire(self, found: Found | None) -> bool:
        """Become the owner, or wait a moment.

        The journal of a killed publisher becomes ours, for what it says to be undone first.

        Parameters
        ----------
        found : Found or None
            What `find` gave.

        Returns
        -------
        bool
            Whether we own it; False where it is worth looking again.

        Raises
        ------
        PublishFailed
            Somebody is at work for longer than we have patience.
        """
        earlier = None if found is None else Journal.from_bytes(found.data)
        if found is not None and earlier is not None and not self._is_abandoned(found, earlier):
            self.wait(earlier)
            return False
        if found is None or earlier is None:
            written = self._store.create(self.journal.to_bytes())
        else:
            log.warning("%s: a publisher was killed; its work is taken over", self._label)
            journal = replace(earlier, token=self.journal.token, holder=self.journal.holder)
            written = self._store.replace(journal.to_bytes(), found.tag)
        # Not every store looks at conditions: only what can be read back is ours.
        state = self._store.read() if written else None
        if state is None or Journal.from_bytes(state.data).token != self.journal.token:
            self.wait()
            return False
        self._tag = state.tag
        self.journal = Journal.from_bytes(state.data)
        self._thread = threading.Thread(target=self._beat, name="publish-beat", daemon=True)
        self._thread.start()
        return True

    def _is_abandoned(self, found: Found, journal: Journal) -> bool:
        lives = journal.holder.lives()
        return found.age_s > self._options.stale_s if lives is None else not lives

    def wait(self, journal: Journal | None = None) -> None:
        """Let somebody else work for a moment.

        Raises
        ------
        PublishFailed
            Our patience has ended.
        Interrupted
            The caller wanted to stop.
        """
        stop_if(self._options)
        who = "another publisher"
        if journal is not None and journal.holder.name:
            who = f"process {journal.holder.pid} on {journal.holder.name}"
        if time.monotonic() > self._deadline:
            raise PublishFailed(
                f"{self._label} is being published by {who}, still after "
                f"{self._options.patience_s:.0f} s",
                hint="run the same command again when it has ended",
            )
        if not self._said:
            self._said = True
            log.info("%s is being published by %s; waiting", self._label, who)
        time.sleep(min(_LOOK_S, self._options.patience_s / 10 + 0.05))

    def begin_anew(self, kind: str) -> None:
        """Note that nothing is left to be undone and a new piece of work begins.

        Raises
        ------
        PublishFailed
            The marker is no longer ours.
        """
        self.note(kind=kind, phase="staging", old=[], work=self.journal.token)

    def note(self, **changes: Any) -> None:
        """Change the journal, in the store too.

        Raises
        ------
        PublishFailed
            The marker is no longer ours.
        """
        with self._lock:
            for name, value in changes.items():
                setattr(self.journal, name, value)
            self._write()

    def _write(self) -> None:
        if not self._store.replace(self.journal.to_bytes(), self._tag):
            state = self._store.read()
            if state is None or Journal.from_bytes(state.data).token != self.journal.token:
                self.is_lost = True
                raise self.lost()
            if not self._store.replace(self.journal.to_bytes(), state.tag):
                raise PublishFailed(f"the marker of {self._label} cannot be written")
        state = self._store.read()
        self._tag = "" if state is None else state.tag

    def _beat(self) -> None:
        while not self._over.wait(self._options.beat_s):
            try:
                with self._lock:
                    if self._over.is_set():
                        return
                    self.journal.beat += 1
                    self._write()
            except Alos2Error as error:
                # The work goes on: if the network has gone, it will fail by itself.
                log.warning("no sign of life could be given: %s", error)
                if self.is_lost:
                    self._options.stop.set()
                    return

    def lost(self) -> PublishFailed:
        """Return the error that tells of a marker that is no longer ours."""
        return PublishFailed(
            f"{self._label} was taken over by another publisher",
            hint="see that the clocks and the network are well, then run it again",
        )

    def is_ours(self) -> bool:
        """Whether nobody has taken it over."""
        state = self._store.read()
        return state is not None and Journal.from_bytes(state.data).token == self.journal.token

    def release(self) -> None:
        """Take the marker away.

        Raises
        ------
        PublishFailed
            It could not be.
        """
        self.leave()
        self._store.delete()

    def leave(self) -> None:
        """End the signs of life and let the marker stand."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
