"""Sentinel Asia's old web: emergency observation requests (EOR) and their data files.

OPTEMIS replaced it in operation by 2021, so its address is configuration. Traps: dates have
English month names whatever the locale; a file may be listed under several requests; not every
file is ALOS-2 data, and not every one a zip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timezone
from typing import TYPE_CHECKING, Any, Final

from alos2.errors import Alos2Error, Interrupted, LoginFailed, NothingFound, TransferFailed
from alos2.sources.portals.eor import (
    check_query,
    each_once,
    in_window,
    not_alos2,
    not_archive,
    portal_day,
)
from alos2.sources.portals.formclient import settings_of
from alos2.sources.portals.model import Item, PortalProfile, Query
from alos2.sources.portals.sentinel_asia_client import SentinelAsiaClient
from alos2.sources.remote import Remote

if TYPE_CHECKING:
    from alos2.sources.doctor import Check
    from alos2.sources.portals.registry import PortalSetting

NAME: Final = "sentinel-asia"
DEFAULT: Final = PortalProfile(NAME, "https://sentinel.tksc.jaxa.jp/sentinel2", {"ca_file": ""})


@dataclass(frozen=True)
class _Request:
    """One emergency observation request."""

    eor_id: str
    day: date | None
    properties: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, entry: Any, where: str) -> _Request:
        """Read what the portal says of it.

        Raises
        ------
        TransferFailed
            It says nothing of the kind.
        """
        if not isinstance(entry, dict) or not isinstance(entry.get("requestId"), str):
            raise TransferFailed(f"{where} lists something that is no observation request")
        said = {
            "eor_date": entry.get("observeDateStr"),
            "country": entry.get("countryStr"),
            "disaster": entry.get("disasterTypeStr"),
        }
        properties = {name: value for name, value in said.items() if isinstance(value, str)}
        return cls(entry["requestId"], portal_day(properties.get("eor_date", "")), properties)


class SentinelAsia:
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
    title: Final = "Sentinel Asia (old web)"
    profiles: Final[Mapping[str, PortalProfile]] = {NAME: DEFAULT}
    experimental: Final = False

    def __init__(self, setting: PortalSetting) -> None:
        profile = setting.profile or DEFAULT
        settings_of(profile, DEFAULT.settings)
        self._client = SentinelAsiaClient(NAME, profile, setting.credential, setting.options)

    def search(self, query: Query) -> Iterator[Item]:
        """Yield data files: those of ids, of one request, or of the requests of some days.

        What is not ALOS-2 data, or no zip, comes too, with the reason. Where one request's list
        cannot be had, those of the others are yielded first.

        Raises
        ------
        UsageError
            The query is of another kind.
        NothingFound
            There is no such request.
        LoginFailed, TransferFailed
            The portal cannot be asked.
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
            yield answer_check(self._client.requests, where=where, what="list of requests")

    def close(self) -> None:
        """Let go of the connections."""
        self._client.login.close()

    def _items(self, query: Query) -> Iterator[Item]:
        if query.eor_id is not None:
            yield from self._files(self._request(query.eor_id), query.ids)
        elif query.ids:
            for data_id in query.ids:
                yield self._looked_at(Item(NAME, data_id, data_id=data_id))
        else:
            yield from self._of_days(query)

    def _of_days(self, query: Query) -> Iterator[Item]:
        faults: list[Alos2Error] = []
        for entry in self._client.requests():
            try:
                request = _Request.read(entry, self._client.where)
                if request.day is None:
                    told = request.properties.get("eor_date", "")
                    raise _undated(self._client.where, request.eor_id, told)
                if in_window(request.day, query):
                    yield from self._files(request, ())
            except (Interrupted, LoginFailed):
                raise
            except Alos2Error as error:
                faults.append(error)
        if len(faults) == 1:
            raise faults[0]
        if faults:
            told = "; ".join(fault.message for fault in faults[:3])
            raise TransferFailed(f"{len(faults)} requests of {self._client.where} failed: {told}")

    def _request(self, eor_id: str) -> _Request:
        found = self._client.request(eor_id)
        if not found:
            raise NothingFound(f"{self._client.where} has no request {eor_id}", hint="check the id")
        return _Request.read(found, self._client.where)

    def _files(self, request: _Request, wanted: tuple[str, ...]) -> Iterator[Item]:
        for entry in self._client.files(request.eor_id):
            data_id = entry.get("dataId") if isinstance(entry, dict) else None
            if not isinstance(data_id, str) or not data_id:
                raise TransferFailed(
                    f"{self._client.where} lists a file without an id for {request.eor_id}"
                )
            if not wanted or data_id in wanted:
                yield self._looked_at(_item(entry, data_id, request))

    def _looked_at(self, item: Item) -> Item:
        """Return `item` with what the headers of its download say."""
        if item.skip:
            return item
        name, size = self._client.headers_of(item.id)
        reason = not_archive(name)
        if not reason and item.eor_id is not None:
            reason = not_alos2(item.properties["type"], name, day=None)
        return replace(item, name=name, size=size, skip=reason)


def _undated(where: str, eor_id: str, told: str) -> TransferFailed:
    return TransferFailed(
        f"{where} dates the request {eor_id} {told!r}, which is no day",
        hint=f"ask for it by its id: {eor_id}",
    )


def _item(entry: Mapping[str, Any], data_id: str, request: _Request) -> Item:
    kind, title = str(entry.get("typeStr") or ""), str(entry.get("title") or "")
    day = request.day
    return Item(
        NAME,
        data_id,
        title=" ".join(title.split()),
        when=None if day is None else datetime.combine(day, time(), timezone.utc),
        eor_id=request.eor_id,
        data_id=data_id,
        properties={**request.properties, "type": kind},
        skip=not_alos2(kind, title, day=day),
    )
