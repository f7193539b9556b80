"""OPTEMIS, Sentinel Asia's present portal: emergency requests and their files. Experimental.

Nobody who wrote this has seen an answer of it: see `alos2.sources.portals.optemis_client` for what
is known, `alos2.sources.portals.optemis_json` for what is guessed, and docs/portals.md for what
can be configured. A file's data id is its path in the portal's storage, which is all that its
download needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timezone
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from alos2.errors import (
    Alos2Error,
    Interrupted,
    LoginFailed,
    NothingFound,
    TransferFailed,
    UsageError,
)
from alos2.sources.portals.eor import check_query, each_once, in_window, not_archive
from alos2.sources.portals.formclient import settings_of
from alos2.sources.portals.model import Item, PortalProfile, Query
from alos2.sources.portals.optemis_client import SETTINGS, OptemisClient
from alos2.sources.portals.optemis_json import (
    day_of,
    internal_id,
    public_id,
    stored_path,
    text_of,
)
from alos2.sources.remote import Remote

if TYPE_CHECKING:
    from alos2.sources.doctor import Check
    from alos2.sources.portals.registry import PortalSetting

NAME: Final = "optemis"
DEFAULT: Final = PortalProfile(NAME, "https://optemis.sentinel-asia.org")

FIELDS: Final[Mapping[str, str]] = {
    "request_field": "_id id request_id",
    "eor_field": "eor_id code request_number number",
    "date_field": "date observation_date request_date created_at",
    "country_field": "country country.name",
    "disaster_field": "disaster disaster.name disaster_type",
    "path_field": "path file_path file url",
    "title_field": "title name filename file_name original_name",
    "is_alos2": r"ALOS[\s_-]*2|PALSAR[\s_-]*2",
    "is_no_product": r"shape|kmz|kml|quick\s*look|thumbnail",
}
"""Keys of the JSON among the profile's settings, several with spaces between, of which the first
that is there counts; and two patterns for names of files."""

KNOWN: Final[Mapping[str, str]] = {**SETTINGS, **FIELDS}


class Optemis:
    """The portal; logs in when first needed.

    Parameters
    ----------
    setting : PortalSetting
        Where it is, who we are there, and our patience.

    Raises
    ------
    UsageError
        The profile says something that is unknown or not safe.
    """

    name: Final = NAME
    title: Final = "Sentinel Asia OPTEMIS"
    profiles: Final[Mapping[str, PortalProfile]] = {NAME: DEFAULT}
    experimental: Final = True

    def __init__(self, setting: PortalSetting) -> None:
        profile = setting.profile or DEFAULT
        self._set = settings_of(profile, KNOWN)
        for name in ("is_alos2", "is_no_product"):
            try:
                re.compile(self._set[name])
            except re.error as error:
                raise UsageError(
                    f"profile {profile.name!r}: {name} is no regular expression: {error}",
                    hint="mend it in alos2.toml",
                ) from None
        self._client = OptemisClient(NAME, profile, self._set, setting.credential, setting.options)

    def search(self, query: Query) -> Iterator[Item]:
        """Yield files: those of paths, of one request, or of the requests of some days.

        Raises
        ------
        UsageError
            The query is of another kind.
        NothingFound
            There is no such request.
        LoginFailed, TransferFailed
            The portal cannot be asked, or answers in an unknown shape.
        """
        check_query(query, self.title)
        yield from each_once(self._items(query), query.limit)

    def remote(self, item: Item) -> Remote:
        """Return what delivers `item`."""
        return self._client.delivery(item.data_id or item.id)

    def checks(self) -> Iterator[Check]:
        """Yield whether the account can log in, and whether the list of requests is there."""
        # Imported late: doctor knows all rooms.
        from alos2.sources.doctor import answer_check, login_check  # noqa: PLC0415

        where = self._client.where
        login = login_check(self._client.login.log_in, where=where)
        yield login
        if login.ok:
            yield answer_check(
                lambda: next(self._client.requests(), None), where=where, what="list of requests"
            )

    def close(self) -> None:
        """Let go of the connections."""
        self._client.login.close()

    def _items(self, query: Query) -> Iterator[Item]:
        if query.eor_id is not None:
            row = self._request(query.eor_id)
            for item in self._files(row):
                if not query.ids or item.id in query.ids:
                    yield item
        elif query.ids:
            for path in query.ids:
                item = Item(NAME, path, name=_name(path), data_id=path)
                yield self._looked_at(replace(item, skip=not_archive(item.name)))
        else:
            yield from self._of_days(query)

    def _of_days(self, query: Query) -> Iterator[Item]:
        faults: list[Alos2Error] = []
        for row in self._client.requests():
            try:
                day = self._day(row)
                if day is None:
                    raise TransferFailed(
                        f"{self._client.where} lists a request without a day",
                        hint="name the key by date_field in the profile, or ask by its id",
                    )
                if in_window(day, query):
                    yield from self._files(row)
            except (Interrupted, LoginFailed):
                raise
            except Alos2Error as error:
                faults.append(error)
        if faults:
            told = faults[0].message if len(faults) == 1 else f"{faults[0].message}, and others"
            raise TransferFailed(f"{len(faults)} requests could not be read: {told}")

    def _names(self, setting: str) -> list[str]:
        return self._set[setting].split()

    def _day(self, row: Mapping[str, Any]) -> date | None:
        return day_of(row, self._names("date_field"))

    def _request(self, eor_id: str) -> Mapping[str, Any]:
        """Return the row of a request by either of its ids."""
        for row in self._client.requests():
            ids = (
                public_id(row, self._names("eor_field")),
                internal_id(row, self._names("request_field")),
            )
            if eor_id in ids:
                return row
        raise NothingFound(f"{self._client.where} has no request {eor_id}", hint="check the id")

    def _files(self, row: Mapping[str, Any]) -> Iterator[Item]:
        internal = internal_id(row, self._names("request_field"))
        if not internal:
            raise TransferFailed(
                f"{self._client.where} lists a request without an id",
                hint="name the key by request_field in the profile",
            )
        eor_id = public_id(row, self._names("eor_field")) or internal
        for entry in self._client.files(internal):
            yield self._looked_at(self._item(entry, row, eor_id))

    def _item(self, entry: Mapping[str, Any], row: Mapping[str, Any], eor_id: str) -> Item:
        path = stored_path(entry, self._names("path_field"))
        if not path:
            raise TransferFailed(
                f"{self._client.where} lists a file without a path for {eor_id}",
                hint="name the key by path_field in the profile",
            )
        title = text_of(entry, self._names("title_field"))
        day = self._day(row)
        properties = {
            "country": text_of(row, self._names("country_field")),
            "disaster": text_of(row, self._names("disaster_field")),
        }
        return Item(
            NAME,
            path,
            title=title,
            name=_name(path),
            when=None if day is None else datetime.combine(day, time(), timezone.utc),
            eor_id=eor_id,
            data_id=path,
            properties={name: text for name, text in properties.items() if text},
            skip=self._no_product(_name(path), title),
        )

    def _no_product(self, name: str, title: str) -> str:
        """Return why a file is no product, as far as its names tell."""
        text = f"{name} {title}"
        if not re.search(self._set["is_alos2"], text, re.I):
            return f"{name}: nothing in its name says ALOS-2"
        found = re.search(self._set["is_no_product"], text, re.I)
        if found:
            return f"{name}: no product by its name ({found[0]})"
        return not_archive(name)

    def _looked_at(self, item: Item) -> Item:
        if item.skip:
            return item
        name, size = self._client.headers_of(item.id)
        return replace(item, name=name or item.name, size=size, skip=not_archive(name))


def _name(path: str) -> str:
    return PurePosixPath(path).name
