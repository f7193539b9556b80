"""Whose host key is believed: known_hosts, or the one fingerprint that a profile pins.

A key that nobody vouches for is refused; the message says which it was, so that it can be compared
with what the operator publishes, and pinned. Nothing is ever accepted by itself.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import asyncssh

from alos2.errors import TransferFailed, UsageError

if TYPE_CHECKING:
    from alos2.sources.hosturl import HostUrl

VARIABLE: Final = "ALOS2_KNOWN_HOSTS"
"""Names another file than the user's and the system's."""

_SYSTEM: Final = Path("/etc/ssh/ssh_known_hosts")
_KINDS: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
"""Kinds of host keys, best first. Signatures with SHA-1 (``ssh-rsa``) are not taken."""


def known_hosts_files() -> list[Path]:
    """Return the files of known hosts that are there and can be read."""
    named = os.environ.get(VARIABLE)
    if named:
        candidates = [Path(named)]
    else:
        home = os.environ.get("HOME") or os.environ.get("USERPROFILE")
        candidates = [Path(home) / ".ssh" / "known_hosts"] if home else []
        candidates.append(_SYSTEM)
    return [path for path in candidates if path.is_file() and os.access(path, os.R_OK)]


class HostTrust:
    """What is believed of one host, and which key was seen there.

    Parameters
    ----------
    place : HostUrl
        The host.
    pin : str, optional
        ``SHA256:...``: the only key that is accepted, whatever known_hosts says.

    Raises
    ------
    UsageError
        The pin is no fingerprint, or a file of known hosts cannot be read.
    """

    def __init__(self, place: HostUrl, pin: str | None) -> None:
        self._place = place
        self._pin = _checked_pin(pin) if pin else None
        self._seen: list[asyncssh.SSHKey] = []
        """The keys that were offered and that nobody vouches for."""
        self.known: Any = ([], [], []) if self._pin else [str(p) for p in known_hosts_files()]
        self._has_others = False
        if not self._pin:
            self.known = self.known or b""
            self._has_others = self._match()

    def _match(self) -> bool:
        """Tell whether known_hosts has any key of this host."""
        place = self._place
        try:
            return bool(asyncssh.match_known_hosts(self.known, place.host, "", place.port)[0])
        except (OSError, ValueError) as error:
            raise UsageError(
                f"known_hosts cannot be read: {error}",
                hint=f"mend it, or name another in {VARIABLE}",
            ) from None

    def accepts(self, key: asyncssh.SSHKey) -> bool:
        """Judge a key that known_hosts does not vouch for."""
        self._seen.append(key)
        return self._pin is not None and fingerprint(key) == self._pin

    def other_kinds(self) -> str | None:
        """Return which kinds of keys to ask for instead, as asyncssh takes it.

        A server may have a key of each kind and shows the one that is asked for first. None where
        known_hosts says what to ask for, or there is nothing else to ask for.
        """
        if self._pin is None or not self._seen:
            return None
        kinds = [alg.decode() for key in self._seen for alg in key.sig_algorithms]
        kinds = [kind for kind in dict.fromkeys(kinds) if kind in _KINDS]
        left = [kind for kind in _KINDS if kind not in kinds]
        return ",".join(left) if left else None

    def refusal(self) -> TransferFailed:
        """Return the error that tells why the host is not believed, and what to do."""
        place = self._place
        shown = ", ".join(f"{_kind(key)} {fingerprint(key)}" for key in self._seen)
        shown = shown or "of another kind"
        if self._pin:
            return TransferFailed(
                f"{place.where} shows another host key than the pinned one: {shown}, not "
                f"{self._pin}",
                hint="somebody may be in between; pin another only if the operator publishes it",
            )
        name = place.host if place.port == 22 else f"[{place.host}]:{place.port}"
        if self._has_others:
            return TransferFailed(
                f"the host key of {place.where} has changed since known_hosts got it: {shown}",
                hint="somebody may be in between; if the operator announced it: "
                f"ssh-keygen -R '{name}', then as for a new host",
            )
        return TransferFailed(
            f"nobody vouches for the host key of {place.where}: {shown}",
            hint="compare it with what the operator publishes, then pin it as host_key in the "
            "profile, or add the host to known_hosts (ssh-keyscan)",
        )


def fingerprint(key: asyncssh.SSHKey) -> str:
    """Return ``SHA256:...`` of a key, as ssh shows it."""
    text: str = key.get_fingerprint()
    return text


def _kind(key: asyncssh.SSHKey) -> str:
    return str(key.get_algorithm())


def _checked_pin(pin: str) -> str:
    text = pin.strip().split()[-1].rstrip("=") if pin.strip() else ""
    if not text.startswith("SHA256:") or len(text) != 50:
        raise UsageError(
            "the pinned host key is no SHA-256 fingerprint",
            hint="write SHA256: and 43 characters, as ssh-keygen -l shows it",
        )
    return text
