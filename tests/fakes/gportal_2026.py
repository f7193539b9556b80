"""The new G-Portal over real sockets: its catalogue, and its file server with faults."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncssh

from alos2.simulate.portals import CatalogueServer, Offer
from alos2.simulate.portals.gportal import PLACE
from alos2.simulate.portals.gportal_sftp import ROOT, SftpServer, lay_out, new_key


class FaultySftp(SftpServer):
    """Refuses files where it is told to."""

    denied = False
    """Every file is there and may not be read."""

    def sftp(self, channel: Any) -> Any:
        fake = self

        class Served(asyncssh.SFTPServer):
            def stat(self, path: bytes) -> Any:
                fake.check(path)
                return super().stat(path)

            def open(self, path: bytes, pflags: int, attrs: Any) -> Any:
                fake.check(path)
                return super().open(path, pflags, attrs)

        return Served(channel, chroot=str(self._root).encode())

    def check(self, path: bytes) -> None:
        if self.denied and path.endswith(b".zip"):
            raise asyncssh.SFTPPermissionDenied("denied")


class GPortal2026:
    """Catalogue and file server of the new site; a context manager.

    Parameters
    ----------
    offers : sequence of Offer
        What is in the catalogue.
    folder : Path
        Takes the server's files and the client's key.
    tls : ssl.SSLContext, optional
        Of the catalogue.
    """

    username = "u0001"

    def __init__(
        self, offers: Sequence[Offer], folder: Path, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.catalogue = CatalogueServer(offers, tls=tls)
        self.offers = offers
        self.root = folder / "served"
        self.key_file = folder / "client_key"
        self._public_key = new_key(self.key_file)
        lay_out(offers, self.root)
        self.sftp = self.new_sftp()
        self._stack = ExitStack()

    def new_sftp(self) -> FaultySftp:
        """A server with a host key of its own."""
        return FaultySftp(self.root, self.username, self._public_key)

    def served(self, offer: Offer) -> Path:
        """The file behind an offer."""
        return self.root / ROOT / PLACE / offer.archive.name

    @property
    def settings(self) -> dict[str, str]:
        """What a profile needs to say to reach it."""
        return {"sftp": self.sftp.url, "host_key": self.sftp.host_key}

    def __enter__(self) -> GPortal2026:
        self._stack.enter_context(self.catalogue)
        self._stack.enter_context(self.sftp)
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.close()
