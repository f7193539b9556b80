"""Sentinel Asia's old web as far as it is known: emergency requests and their data files."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Sequence
from datetime import date
from typing import Final

from alos2.simulate.portals.offer import Account, Offer
from alos2.simulate.portals.server import Answer, PortalServer, Request
from alos2.types import Json

TOP: Final = "/sentinel2/topControl.jsp"
RESOURCES: Final = "/sentinel2/webresources"

_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_FORM: Final = (
    '<form method="post"><input type="text" name="userid">'
    '<input type="password" name="passwd"></form>'
)
_ALOS: Final = "ALOS(Data)"


class SentinelAsiaServer(PortalServer):
    """One emergency observation request whose data files are the offers.

    The list also holds a map, which is no ALOS-2 data. A refused password and an expired session
    are answered with 200 and the login page, for a JSON resource too.

    Parameters
    ----------
    account : Account
        Who may log in.
    offers : sequence of Offer
        Data files of the request.
    """

    eor_id: Final = "ERJPDM000001"

    def __init__(
        self, account: Account, offers: Sequence[Offer], *, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(tls=tls)
        self.account = account
        self.observed = date.fromisoformat(offers[0].start[:10])
        self.files = {
            f"JPJXdemo0001{self.observed:%Y%m%d}{number:04d}": offer
            for number, offer in enumerate(offers, 1)
        }
        self.sessions: set[str] = set()
        self.logins: set[str] = set()
        self.password_posts = 0

    def answer(self, request: Request) -> Answer:
        """Answer as Sentinel Asia does."""
        if request.path == TOP:
            return self._top(request)
        if not request.path.startswith(RESOURCES):
            return Answer.page("Not Found", status=404)
        if request.cookies.get("JSESSIONID") not in self.logins:
            return Answer.page("Sentinel Asia", _FORM)
        return self._resource(request, request.path.removeprefix(RESOURCES))

    def _resource(self, request: Request, name: str) -> Answer:
        ours = request.query.get("requestId") == self.eor_id
        if name == "/thumbnailEmob/download":
            return self._download(request)
        if name == "/emobRequestSelect/viewList":
            return Answer.of_json([self._bulletin()])
        if name == "/thumbnailEmob/viewBulletinContent" and ours:
            return Answer.of_json(self._bulletin())
        if name == "/thumbnailEmob/emergencyViewThumbnail" and ours:
            return Answer.of_json(self._listed())
        return Answer.page("Not Found", status=404)

    def _top(self, request: Request) -> Answer:
        session = request.cookies.get("JSESSIONID", "")
        if request.method != "POST":
            session = secrets.token_hex(16)
            self.sessions.add(session)
            cookie = ("Set-Cookie", f"JSESSIONID={session}; Path=/sentinel2; HttpOnly")
            return Answer.page("Sentinel Asia", _FORM, headers=(cookie,))
        self.password_posts += 1
        given = (request.form.get("userid"), request.form.get("passwd"))
        if session not in self.sessions or given != (self.account.username, self.account.password):
            return Answer.page("Sentinel Asia", _FORM)
        self.logins.add(session)
        return Answer.page("Sentinel Asia", '<a href="logout.jsp">Logout</a>')

    def _bulletin(self) -> Json:
        day = self.observed
        return {
            "requestId": self.eor_id,
            # English whatever the locale, as the portal writes it.
            "observeDateStr": f"{day.day:02d}/{_MONTHS[day.month - 1]}/{day.year}",
            "countryStr": "Japan",
            "disasterTypeStr": "Exercise",
        }

    def _listed(self) -> list[Json]:
        files = [
            {"dataId": data_id, "typeStr": _ALOS, "title": f"ALOS-2 PALSAR-2 {offer.identifier}"}
            for data_id, offer in self.files.items()
        ]
        picture = f"JPJXdemo0001{self.observed:%Y%m%d}9001"
        return [*files, {"dataId": picture, "typeStr": "Map", "title": "Overview map"}]

    def _download(self, request: Request) -> Answer:
        offer = self.files.get(request.query.get("dataId", ""))
        if offer is None:
            return Answer.page("Error", status=500)
        return Answer.download(offer.archive)
