"""The calls of OPTEMIS, Sentinel Asia's present portal. Experimental.

A Laravel application: a token against forged requests stands in the login page and belongs to the
cookie that came with it; lists are asked for as DataTables does on the server's side. Source: one
client's unfinished draft of 2019, which has never seen the answers' layout; so paths are settings
of the profile, and whoever reads the answers must be ready for other shapes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import requests
from bs4 import BeautifulSoup

from alos2.errors import TransferFailed, UsageError
from alos2.sources.credentials import Choice, Credential, Secret
from alos2.sources.model import TransferOptions
from alos2.sources.portals.asking import Answer
from alos2.sources.portals.formclient import FormClient
from alos2.sources.portals.model import PortalProfile
from alos2.sources.portals.optemis_json import rows_of
from alos2.sources.remote import Remote

SETTINGS: Final[Mapping[str, str]] = {
    "login_path": "/dashboard/users/login",
    "signin_path": "/dashboard/users/signin",
    "requests_path": "/ajax/v1/emergency_requests",
    "files_path": (
        "/ajax/v1/emergency_requests/{request}/dpn/datafiles/organizations/{organization}"
    ),
    "download_path": "/dashboard/downloadFile",
    "organization": "59279239aa73bf3eac0056b4",
    "columns": "index country requester disaster map date period status actions",
    "page": "100",
    "ca_file": "",
}
"""Paths and the like among the profile's settings, and what they are if it says nothing of them.

``organization`` is the data provider whose files are wanted: JAXA, as the draft has it.
"""

_MOST_PAGES: Final = 1000


class OptemisClient(FormClient):
    """Asks the portal; logs in when first needed.

    Parameters
    ----------
    service, profile, credential, options
        See `FormClient`.
    settings : mapping
        `SETTINGS` as the profile changes them.
    """

    def __init__(
        self,
        service: str,
        profile: PortalProfile,
        settings: Mapping[str, str],
        credential: Choice,
        options: TransferOptions,
    ) -> None:
        super().__init__(service, profile, credential, options)
        self._set = settings
        if not settings["page"].isdigit() or int(settings["page"]) < 1:
            raise UsageError(f"profile {profile.name!r}: page is no number of requests a page")

    def sign_in(self, session: requests.Session, account: Credential, password: Secret) -> Answer:
        """Read the page's token and send the form, both within the same session."""
        page = self.ask(session, "GET", self._url("login_path")).require_ok("its login page")
        meta = BeautifulSoup(page.body, "lxml").find("meta", attrs={"name": "csrf-token"})
        token = meta.get("content") if meta is not None else None
        if not isinstance(token, str) or not token:
            raise TransferFailed(
                f"the login page of {self.where} holds no csrf-token",
                hint="the portal may have changed, or be under maintenance",
            )
        form = {
            "email": account.username,
            "password": password.reveal(),
            "_token": Secret(token).reveal(),
        }
        headers = {"Referer": self._url("login_path")}
        answer = self.send_form(session, self._url("signin_path"), form, headers=headers)
        if answer.status == 419:  # Laravel: the token is not that of this session
            raise TransferFailed(
                f"{self.where} did not accept its own csrf-token",
                hint="this portal is experimental here: please report it",
            )
        return answer

    def requests(self) -> Iterator[Mapping[str, Any]]:
        """Yield the emergency requests, newest first, page after page.

        Raises
        ------
        LoginFailed, TransferFailed
            The portal cannot be asked.
        """
        length = int(self._set["page"])
        first: object = None
        for number in range(_MOST_PAGES):
            what = "the list of requests"
            found = self.json(self._requests_url(number, length), what)
            rows = rows_of(found, self.where, what)
            # A server that pages by itself, or not at all, sends the same page again.
            if not rows or rows[0] == first:
                return
            first = rows[0]
            yield from rows
            total = found.get("recordsFiltered") if isinstance(found, dict) else None
            if len(rows) < length or (isinstance(total, int) and (number + 1) * length >= total):
                return

    def files(self, request: str) -> list[Mapping[str, Any]]:
        """Return the data files of a request, by its internal id (24 hexadecimal digits)."""
        path = self._set["files_path"].format(
            request=quote(request, safe=""), organization=quote(self._set["organization"], safe="")
        )
        what = f"the files of {request}"
        return rows_of(self.json(self.base + path, what), self.where, what)

    def headers_of(self, path: str) -> tuple[str, int | None]:
        """Return name and size of a file; see `FormClient.file_headers`."""
        return self.file_headers(self._download(path), f"the file {path}")

    def delivery(self, path: str) -> Remote:
        """Return what delivers the file at `path` of the portal's storage."""
        return self.remote(self._download(path), f"the file {path}")

    def _url(self, setting: str) -> str:
        return self.base + self._set[setting]

    def _download(self, path: str) -> str:
        return f"{self._url('download_path')}?{urlencode({'file': path})}"

    def _requests_url(self, number: int, length: int) -> str:
        query = {"draw": str(number + 1)}
        columns = self._set["columns"].split()
        for index, column in enumerate(columns):
            query |= {
                f"columns[{index}][data]": column,
                f"columns[{index}][name]": "",
                f"columns[{index}][searchable]": "true",
                f"columns[{index}][orderable]": "true",
                f"columns[{index}][search][value]": "",
                f"columns[{index}][search][regex]": "false",
            }
        if "date" in columns:
            query |= {"order[0][column]": str(columns.index("date")), "order[0][dir]": "desc"}
        query |= {"start": str(number * length), "length": str(length)}
        query |= {"search[value]": "", "search[regex]": "false"}
        return f"{self._url('requests_path')}?{urlencode(query)}"
