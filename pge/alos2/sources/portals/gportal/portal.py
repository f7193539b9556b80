"""G-Portal as a portal: its catalogue answers searches, its site of the profile delivers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

import requests

from alos2.errors import NothingFound, TransferFailed, UsageError
from alos2.sources.portals.asking import ask
from alos2.sources.portals.gportal.csw import Catalogue, Wanted
from alos2.sources.portals.gportal.items import (
    PROVIDER,
    asked,
    item_of,
    item_of_link,
    unwrapped,
    wanted_of,
)
from alos2.sources.portals.gportal.modes import DATASETS
from alos2.sources.portals.gportal.profiles import NEW, PROFILES, Site, site_of
from alos2.sources.portals.gportal.sftp import KeySite
from alos2.sources.portals.gportal.web import WebSite
from alos2.sources.portals.model import Item, Query
from alos2.sources.portals.registry import PortalSetting
from alos2.sources.remote import Passing, Remote
from alos2.sources.session import new_session
from alos2.sources.transfer.waits import Budget, pause

if TYPE_CHECKING:
    from alos2.sources.doctor import Check


_ANYTHING: Final = Wanted((DATASETS["FBD"],), (), date(2020, 6, 15), date(2020, 6, 15))
"""A small question, to see whether the catalogue answers."""


class _Delivery(Protocol):
    """One of the sites' ways to deliver."""

    def remote(self, item: Item) -> Remote: ...

    def checks(self) -> Iterator[Check]: ...

    def close(self) -> None: ...


class GPortal:
    """The portal.

    Parameters
    ----------
    setting : PortalSetting
        Which site, who we are there, and our patience.

    Raises
    ------
    UsageError
        The profile says something that cannot be.
    """

    name: Final = PROVIDER
    title: Final = "JAXA G-Portal"
    experimental: Final = False
    profiles: Final = PROFILES

    def __init__(self, setting: PortalSetting) -> None:
        self.site: Final[Site] = site_of(setting.profile or NEW)
        self._options = setting.options
        # The catalogue is asked without a login: its session knows no secret.
        self._session = new_session(setting.options)
        if self.site.ca_file:
            self._session.verify = str(Path(self.site.ca_file).expanduser())
        self.base_url: Final = self.site.csw_url
        self._where = urlsplit(self.site.csw_url).netloc
        self.catalogue: Final = Catalogue(self._csw_text, self._where)
        self._delivery: _Delivery = (WebSite if self.site.method == "web" else KeySite)(
            self.site, setting.credential, setting.options
        )

    def search(self, query: Query) -> Iterator[Item]:
        """Yield what the catalogue has: of places and times, or of names.

        Parameters
        ----------
        query : Query
            ``ids`` are names of products or scenes, or addresses of downloads; otherwise ``bbox``
            or days are needed. ``mode`` is as `alos2.sources.portals.gportal.modes` has it.

        Raises
        ------
        NothingFound
            The catalogue has no record of the kind, or none of one of the names: then after those
            that it has.
        UsageError
            G-Portal cannot be searched by this.
        TransferFailed
            It cannot be asked.
        """
        items = self._named(query.ids) if query.ids else self._around(query)
        yielded: set[str] = set()
        for item in items:
            if item.id in yielded:
                continue  # a scene and one of its products were named
            yielded.add(item.id)
            yield item
            if len(yielded) == query.limit:
                return

    def _around(self, query: Query) -> Iterator[Item]:
        found = False
        for record in self.catalogue.records(wanted_of(query)):
            found = True
            yield item_of(record)
        if not found:
            raise NothingFound(
                f"the catalogue of {self.title} ({self._where}) has no record of the kind",
                hint="try a larger box, other days or another mode",
            )

    def _named(self, names: tuple[str, ...]) -> Iterator[Item]:
        missing = []
        # What cannot be a name is refused before anything is asked.
        links = [unwrapped(name) if "://" in name else "" for name in names]
        wanted = [None if link else asked(name) for name, link in zip(names, links, strict=True)]
        for link, product in zip(links, wanted, strict=True):
            if product is None:
                yield item_of_link(link)
                continue
            found = False
            for record in self.catalogue.records(product.wanted()):
                if product.is_answered_by(record):
                    found = True
                    yield item_of(record)
            if not found:
                missing.append(product.text)
        if missing:
            raise NothingFound(
                f"the catalogue of {self.title} ({self._where}) has no record of "
                f"{', '.join(missing)}",
                hint="check the name; alos2 search --date DAY shows what there is",
            )

    def count(self, query: Query) -> int:
        """Return how many records there are, as `search` counts them without names.

        Raises
        ------
        UsageError, TransferFailed
            As `search`.
        """
        return self.catalogue.count(wanted_of(query))

    def remote(self, item: Item) -> Remote:
        """Return what delivers `item`; logs in at its first use.

        Raises
        ------
        UsageError, TransferFailed
            The catalogue names no file, or none that this site could deliver.
        """
        if not item.properties.get("file"):
            raise UsageError(
                f"{item.id} has no file: {item.skip or 'it was not found by a search'}",
                hint="ask the portal's search for it",
            )
        return self._delivery.remote(item)

    def checks(self) -> Iterator[Check]:
        """Yield whether the catalogue answers, and whether one can log in."""
        from alos2.sources.doctor import answer_check  # noqa: PLC0415  doctor knows all rooms

        yield answer_check(
            lambda: self.catalogue.count(_ANYTHING), where=self._where, what="catalogue"
        )
        yield from self._delivery.checks()

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()
        self._delivery.close()

    def _csw_text(self, query: Mapping[str, str]) -> str:
        """Ask the catalogue; an answer with status 200 that is no JSON is asked for again."""
        budget = Budget(self._options, self._where)
        while True:
            answer = ask(
                self._session,
                "GET",
                self.site.csw_url,
                where=self._where,
                options=self._options,
                params=query,
            )
            if answer.status != requests.codes.ok:
                raise TransferFailed(
                    f"the catalogue at {self._where} answered {answer.status}",
                    hint="it may have moved: see the profiles of G-Portal in docs/portals.md",
                )
            text = answer.text
            if _is_json(text):
                return text
            try:
                wait_s = budget.spend(Passing("the catalogue answered with no JSON"))
            except TransferFailed:
                return text  # its reader says best what is wrong with it
            pause(wait_s, None)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
