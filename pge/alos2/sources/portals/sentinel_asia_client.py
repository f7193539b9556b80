"""The calls of Sentinel Asia's old web: the login, the lists, the headers of a file.

A session cookie, a form, then JSON. Source: what public clients of 2019 do. A failed login and an
expired session are answered by 200 and a page, for JSON too.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

import requests

from alos2.errors import TransferFailed
from alos2.sources.credentials import Credential, Secret
from alos2.sources.portals.asking import Answer
from alos2.sources.portals.formclient import FormClient
from alos2.sources.remote import Remote

_SUBSET: Final = "Emergency Observation"


class SentinelAsiaClient(FormClient):
    """Asks the portal; the profile's ``base_url`` is what stands before ``/topControl.jsp``."""

    def sign_in(self, session: requests.Session, account: Credential, password: Secret) -> Answer:
        """Fill in the form on the first page, which has set the session's cookie."""
        top = f"{self.base}/topControl.jsp"
        self.ask(session, "GET", top).require_ok("its first page")
        if "JSESSIONID" not in session.cookies:
            raise TransferFailed(
                f"{self.where} opened no session: it set no cookie JSESSIONID",
                hint="the portal may have changed, or be under maintenance",
            )
        form = {
            "request": "login",
            "userid": account.username,
            "passwd": password.reveal(),
            "submit": "login",
            "loginId": "",
        }
        return self.send_form(session, top, form)

    def requests(self) -> list[Any]:
        """Return the list of all observation requests.

        Raises
        ------
        LoginFailed, TransferFailed
            The portal cannot be asked.
        """
        query = {"subset_name": _SUBSET, "submit.countryIdx": "", "submit.disasterTypeIdx": ""}
        what = "the list of requests"
        url = self._url("emobRequestSelect/viewList", **query)
        return self.listed(self.json(url, what), what)

    def request(self, eor_id: str) -> Any:
        """Return what is known of one request; nothing, or `NothingFound`, if there is none."""
        url = self._url("thumbnailEmob/viewBulletinContent", requestId=eor_id)
        return self.json(url, f"the request {eor_id}")

    def files(self, eor_id: str) -> list[Any]:
        """Return the list of a request's files."""
        query = {"requestId": eor_id, "subsetName": _SUBSET, "selectDate": ""}
        what = f"the files of {eor_id}"
        url = self._url("thumbnailEmob/emergencyViewThumbnail", **query)
        return self.listed(self.json(url, what), what)

    def headers_of(self, data_id: str) -> tuple[str, int | None]:
        """Return name and size of a file; see `FormClient.file_headers`."""
        return self.file_headers(self._download(data_id), f"the file {data_id}")

    def delivery(self, data_id: str) -> Remote:
        """Return what delivers a file."""
        return self.remote(self._download(data_id), f"the file {data_id}")

    def _download(self, data_id: str) -> str:
        return self._url("thumbnailEmob/download", dataId=data_id)

    def _url(self, resource: str, **query: str) -> str:
        return f"{self.base}/webresources/{resource}?{urlencode(query)}"
