"""Which catalogue is meant by a word."""

from __future__ import annotations

from pathlib import Path

from alos2.catalogue.search.model import Searchable
from alos2.errors import UsageError
from alos2.types import Logins, no_login


def searchable(name: str | None, archive: Path, logins: Logins = no_login) -> Searchable:
    """Open a catalogue to search it.

    Parameters
    ----------
    name : str or None
        ``grq:`` and the address of GRQ's Elasticsearch or OpenSearch (``grq:https://host:9200``),
        the address of a STAC API, or None for the archive's own catalogue.
    archive : Path
        The folder that holds the datasets.
    logins : callable, optional
        Gives the login for a host.

    Raises
    ------
    UsageError
        The word names no catalogue.
    NothingFound
        The archive has no catalogue.
    """
    if name is None:
        from alos2.catalogue.search.embedded import EmbeddedSearch  # noqa: PLC0415

        return EmbeddedSearch(archive)
    kind, _, address = name.partition(":")
    if kind == "grq" and address:
        from alos2.catalogue.search.grq import grq_search  # noqa: PLC0415

        return grq_search(address, logins)
    if kind in ("http", "https"):
        from alos2.catalogue.search.remote import RemoteSearch  # noqa: PLC0415

        return RemoteSearch(name, logins)
    raise UsageError(
        f"{name!r} is no catalogue", hint="grq:URL, the address of a STAC API, or none"
    )
