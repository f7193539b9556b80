"""What ``alos2 doctor`` runs: checks, and the registry where each room of the house adds its own.

A room is a function without arguments that yields `Check`: registered with `register`, or an entry
point of the group ``alos2.doctor``, whose name is the room's. A check that breaks is a FAIL of its
room and never keeps the others from being run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final, Literal, TypeAlias

from alos2.dataset.scrub import scrub
from alos2.errors import Alos2Error, Interrupted
from alos2.sources.remote import Passing
from alos2.types import Json

ENTRY_POINT_GROUP: Final = "alos2.doctor"
"""Entry points of this group add rooms; their name is the room's."""

Kind = Literal["login", "network", "disk", "settings"]

_SERIOUS_FIRST: Final[dict[Kind, int]] = {"login": 4, "network": 5, "disk": 9, "settings": 2}
"""Exit code of each kind of failure, the most serious first."""

_WORDS: Final[dict[str, Kind]] = {
    "login": "login",
    "account": "login",
    "disk": "disk",
    "space": "disk",
    "credentials": "settings",
    "settings": "settings",
    "setting": "settings",
    "mode": "settings",
    "extra": "settings",
}
"""What words of a check's name say about its kind, where it does not say itself."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    name
        A few words, beginning with the room or source: ``auig2 login``.
    ok
        Whether it is as it should be; None: it does not apply here, or could not be looked at.
    detail
        What was seen; without secrets.
    remedy
        What to do about it; only shown where `ok` is False (or, where there is one, None).
    kind
        What fails if it fails, which gives the exit code; None: told from the name, else network.
    """

    name: str
    ok: bool | None
    detail: str
    remedy: str = ""
    kind: Kind | None = None

    @property
    def exit_code(self) -> int:
        """The exit code that this check alone would end a program with."""
        return 0 if self.ok is not False else _SERIOUS_FIRST[self._kind()]

    def _kind(self) -> Kind:
        if self.kind is not None:
            return self.kind
        words = self.name.lower().split()
        return next((_WORDS[word] for word in reversed(words) if word in _WORDS), "network")

    def to_json(self) -> Json:
        """Return what ``alos2 doctor --json`` prints."""
        status = {True: "ok", False: "fail", None: "none"}[self.ok]
        return {
            "name": self.name,
            "status": status,
            "detail": scrub(self.detail),
            "remedy": scrub(self.remedy),
        }

    def line(self) -> str:
        """Return the line (or two) for a person: ``ok|FAIL|--  name  detail``."""
        word = {True: "ok", False: "FAIL", None: "--"}[self.ok]
        text = f"{word:<4}  {self.name:<24}  {scrub(self.detail)}"
        if self.remedy and self.ok is not True:
            text += f"\n      {'':<24}  → {scrub(self.remedy)}"
        return text


Room: TypeAlias = Callable[[], Iterable[Check]]

_rooms: Final[dict[str, Room]] = {}


def register(name: str, room: Room) -> None:
    """Add a room, or replace the one of that name.

    Parameters
    ----------
    name : str
        As ``alos2 doctor --source`` takes it, e.g. ``catalogue``.
    room : callable
        Yields its checks when it is called.
    """
    _rooms[name] = room


def rooms() -> dict[str, Room]:
    """Return every room by name: the registered ones, then those of entry points."""
    found = dict(_rooms)
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.name not in found:
            found[point.name] = _loading(point.load)
    return found


def _loading(load: Callable[[], Room]) -> Room:
    def room() -> Iterator[Check]:
        yield from load()()

    return room


def run_room(name: str, room: Room) -> Iterator[Check]:
    """Yield the checks of a room; what breaks in it becomes a failed check.

    Raises
    ------
    Interrupted
        Somebody stopped it.
    """
    try:
        yield from room()
    except Interrupted:
        raise
    except Alos2Error as error:
        yield failed(name, error)
    except Exception as error:  # noqa: BLE001  one room's fault must not hide what the others say
        said = f"the check itself broke: {type(error).__name__}: {error}"
        yield Check(name, False, said, "report it to who wrote this part", "settings")


def failed(name: str, error: Alos2Error) -> Check:
    """Return the failed check that an error means."""
    kinds: dict[int, Kind] = {code: kind for kind, code in _SERIOUS_FIRST.items()}
    return Check(name, False, error.message, error.hint, kinds.get(error.exit_code, "network"))


def login_check(log_in: Callable[[], object], *, where: str) -> Check:
    """Log in, once, and say how that went.

    Parameters
    ----------
    log_in : callable
        Raises an `Alos2Error` (or `Passing`) where it fails.
    where : str
        Host or portal, for the check's name.
    """
    return _tried(log_in, Check(f"{where} login", True, "the account is accepted"))


def answer_check(ask: Callable[[], object], *, where: str, what: str) -> Check:
    """Ask something and say whether an answer came.

    Parameters
    ----------
    ask : callable
        Raises an `Alos2Error` (or `Passing`) where it fails.
    where : str
        Host or portal, for the check's name.
    what : str
        What is asked for, e.g. ``list of requests``.
    """
    return _tried(ask, Check(f"{where} answers", True, f"the {what} is there"))


def _tried(act: Callable[[], object], fine: Check) -> Check:
    try:
        act()
    except Interrupted:
        raise
    except Alos2Error as error:
        return failed(fine.name, error)
    except Passing as error:
        return Check(fine.name, False, str(error), "try again later", "network")
    return fine


def exit_code_of(checks: Iterable[Check]) -> int:
    """Return 0 if nothing fails, else the code of the most serious kind of failure."""
    codes = {check.exit_code for check in checks}
    return next((code for code in _SERIOUS_FIRST.values() if code in codes), 0)
