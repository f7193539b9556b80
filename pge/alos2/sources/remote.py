"""One interface for every scheme: an object out there that can be opened at an offset.

The engine (`alos2.sources.transfer`) knows nothing of HTTP or FTP, and a scheme knows nothing of
part files, retries or hashes. Between them lie these few types, and what `Remote.open` may raise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Literal, Protocol, get_args

Kind = Literal["etag", "last-modified", "mtime", "version"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)


@dataclass(frozen=True)
class Validator:
    """What tells two states of an object apart.

    Parameters
    ----------
    kind
        ``etag`` (a strong one, with its quotes), ``last-modified`` (the header as it came),
        ``mtime`` (of a file server), ``version`` (of an object store).
    value
        Compared letter by letter; never a secret.
    """

    kind: Kind
    value: str


@dataclass(frozen=True)
class Reply:
    """An opened body.

    Parameters
    ----------
    offset
        Where in the object the body begins, in bytes: what was asked for, or 0 where the server
        gave the whole object instead.
    total
        Size of the whole object in bytes; None where nobody says.
    validator
        Of the object as it is now; None where there is none to rely on.
    name
        File name as the server suggests it, unsafe; empty if it suggests none.
    content_type
        As the server has it; empty if it says nothing.
    body
        The bytes, in pieces that are not empty. Raises `Passing` where the transfer breaks.
    exact
        The body ends by its length being reached or by a named fault; False where an end that
        came too soon cannot be told from the true one.
    """

    offset: int
    total: int | None
    validator: Validator | None
    name: str
    content_type: str
    body: Iterator[bytes]
    exact: bool = True


class Remote(Protocol):
    """An object out there."""

    @property
    def url(self) -> str:
        """Its URL without secrets: the key under which its partial download is found again."""
        ...

    @property
    def where(self) -> str:
        """Host, with the port where it is not the scheme's own: for messages and for caps."""
        ...

    def open(self, offset: int, validator: Validator | None) -> AbstractContextManager[Reply]:
        """Begin to read at `offset`.

        Parameters
        ----------
        offset : int
            First byte wanted; 0 for all. At most the object's size, as far as it is known.
        validator : Validator, optional
            Of the object that the bytes before `offset` belong to. A scheme that can, makes the
            server compare it (If-Range, IfMatch); otherwise it compares by itself.

        Returns
        -------
        context manager of Reply
            Its end closes the connection, whether the body was read to its end or not.

        Raises
        ------
        LoginFailed, NothingFound, TransferFailed
            Final: another try will not help. No message holds a secret.
        Passing
            A fault that may be gone at the next try.
        Changed
            `offset` is above 0 and the object is not the one that `validator` is of, or it ends
            before `offset`.
        """
        ...


class Passing(Exception):  # noqa: N818  (not an error for users: the engine catches it)
    """A fault worth a retry: no connection, a broken transfer, a busy server.

    Parameters
    ----------
    message
        What happened, as a clause without a full stop, without secrets.
    after_s
        For how many seconds the server asks to be left alone; None where it does not say.
    """

    def __init__(self, message: str, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s


class Changed(Exception):  # noqa: N818  (not an error for users: the engine catches it)
    """The object is another one than that whose first bytes are here already."""


class Misplaced(Passing):
    """The server sent another part than the one asked for, so it cannot be joined.

    Met a second time in a row, the transfer begins anew without asking for a part.
    """
