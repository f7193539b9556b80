"""The old ``-u NAME -p PASSWORD`` of the PGEs, without a password on a command line.

Everybody on the machine can read a command line, and shells keep it. So ``-p`` takes nothing but
``-``: the password is then read from standard input. No message repeats what was given instead.
"""

from __future__ import annotations

import argparse
import getpass
import logging
import sys
from typing import Any, NoReturn

from alos2.errors import UsageError
from alos2.sources.credentials import Choice, Credential, Secret

log = logging.getLogger(__name__)

_HINT = "use -p - and give the password on standard input, or a profile: docs/credentials.md"
_SEEN = (
    "-p takes no password: it may now be in your shell's history, and was in the list of processes"
)


class Parser(argparse.ArgumentParser):
    """Raises `UsageError` instead of leaving, and never repeats a word that it does not know."""

    def __init__(self, **chosen: Any) -> None:
        # An ambiguous abbreviation would be repeated with its value.
        super().__init__(allow_abbrev=False, **chosen)

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong with the command line.

        Raises
        ------
        UsageError
            Always.
        """
        if message.startswith("unrecognized arguments"):
            message = "there are words on the command line that belong to no flag"
        raise UsageError(message, hint=f"{self.prog} --help")


def add_login_flags(parser: argparse.ArgumentParser) -> None:
    """Add ``-u`` and ``-p``."""
    parser.add_argument(
        "-u", "--username", metavar="NAME", help="credential profile, or account; never a password"
    )
    parser.add_argument(
        "-p", "--password", metavar="-", type=_no_password,
        help="only '-': the password is read from standard input",
    )  # fmt: skip


def _no_password(word: str) -> str:
    # An argparse error would repeat the word; its own exceptions pass through.
    if word != "-":
        raise UsageError(_SEEN, hint=f"change it, then {_HINT}")
    return word


def login_choice(username: str | None, password: str | None, parameter: Secret | None) -> Choice:
    """Return who to log in as.

    Parameters
    ----------
    username : str, optional
        A profile's name; an account's where a password comes with it.
    password : str, optional
        What ``-p`` says: ``-``, or None.
    parameter : Secret, optional
        A password that came as a job parameter; ``-p -`` wins over it.

    Raises
    ------
    UsageError
        A password without a name, or nothing on standard input.
    """
    if password is None and parameter is None:
        return username
    if not username:
        raise UsageError("a password is given and no user name", hint="-u NAME")
    if password is None:
        return Credential(username, parameter, origin="the job's parameters")
    log.warning("-p - is kept for old scripts; a credential profile needs no password at all")
    return Credential(username, _typed(), origin="standard input")


def _typed() -> Secret:
    """Read the password: without showing it, where somebody types it."""
    if sys.stdin is not None and sys.stdin.isatty():
        text = getpass.getpass("Password: ", sys.stderr)
    else:
        text = sys.stdin.readline().rstrip("\r\n") if sys.stdin is not None else ""
    if not text:
        raise UsageError("there is no password on standard input", hint=_HINT)
    return Secret(text)
