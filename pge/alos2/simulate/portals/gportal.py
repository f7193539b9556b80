"""G-Portal as far as it is known: the catalogue (CSW) of both sites, the web login of the old."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from alos2.simulate.portals.offer import Account, Offer
from alos2.simulate.portals.server import Answer, PortalServer, Request
from alos2.types import Json

PLACE: Final = "ALOS-2/ALOS-2.PALSAR-2/"
"""Folder of the products below ``standard`` (the old site) or ``Standard`` (the new one)."""
CSRF: Final = "fuel_csrf_token"
TOKEN: Final = "iPlanetDirectoryPro"  # noqa: S105  a cookie's name
_MOST: Final = 3000


class CatalogueServer(PortalServer):
    """The new site's catalogue: GetRecords as JSON, at ``/csw``.

    Parameters
    ----------
    offers : sequence of Offer
        What it lists. Its file names point at another service, by SFTP.
    """

    csw_path = "/csw"

    def __init__(self, offers: Sequence[Offer], *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls=tls)
        self.offers = list(offers)

    def answer(self, request: Request) -> Answer:
        """Answer as the catalogue does."""
        if request.path == self.csw_path and request.method == "GET":
            return self.records(request.query)
        return Answer.page("Not Found", status=404)

    def file_name(self, offer: Offer) -> str:
        """Return what ``product.fileName`` says: neither a URL nor the path on the SFTP server."""
        return f"product.gportal.jaxa.jp:/products/Standard/{PLACE}{offer.archive.name}"

    def records(self, query: dict[str, str]) -> Answer:
        """Answer GetRecords: `count` records from `startIndex` (the first is 1)."""
        if (query.get("service"), query.get("request")) != ("CSW", "GetRecords"):
            return Answer(b"<ExceptionReport/>", content_type="application/xml")
        found = [self.feature(offer) for offer in self.offers if _matches(offer, query)]
        first, count = int(query.get("startIndex", "1")), int(query.get("count", "10"))
        page = found[first - 1 : first - 1 + min(count, _MOST)]
        return Answer.of_json(
            {
                "type": "FeatureCollection",
                "properties": {
                    "numberOfRecordsMatched": len(found),
                    "numberOfRecordsReturned": len(page),
                },
                "features": page,
            }
        )

    def feature(self, offer: Offer) -> Json:
        """Return one record; every property is text."""
        return {
            "type": "Feature",
            "geometry": offer.geometry,
            "properties": {
                "identifier": offer.identifier,
                "beginPosition": offer.start,
                "endPosition": offer.end,
                "platformShortName": "ALOS-2",
                "instrumentShortName": "PALSAR-2",
                "product": {
                    "fileName": self.file_name(offer),
                    "size": str(offer.archive.stat().st_size),
                    "version": "1",
                },
                "browse": [],
                "gpp": {"datasetId": offer.dataset_id},
            },
        }


class WebPortalServer(CatalogueServer):
    """The old site: its catalogue, its login and its downloads.

    A refused password is answered with 200 and a status that is not 1; a download without a login
    with 200 and a page.

    Parameters
    ----------
    account : Account
        Who may log in.
    offers : sequence of Offer
        What can be found and downloaded.
    """

    csw_path = "/csw/csw"

    def __init__(
        self, account: Account, offers: Sequence[Offer], *, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(offers, tls=tls)
        self.account = account
        self.logins: set[str] = set()
        self.password_posts = 0

    def file_name(self, offer: Offer) -> str:
        """Return the URL of the download."""
        return f"{self.url}/download/standard/{PLACE}{offer.archive.name}"

    def goto_link(self, offer: Offer) -> str:
        """Return a link that leads to the download by way of the login page."""
        return f"{self.url}/gpr/auth?goto={quote(self.file_name(offer), safe='')}"

    def answer(self, request: Request) -> Answer:
        """Answer as the old site does."""
        if request.path in ("/gpr/", "/gpr/auth"):
            return self.landing()
        if request.path == "/gpr/auth/authenticate.json" and request.method == "POST":
            return self.authenticate(request)
        if request.path.startswith("/download/"):
            return self.download(request)
        return super().answer(request)

    def landing(self) -> Answer:
        """Give the top page, with a token against forged requests."""
        cookie = f"{CSRF}={secrets.token_hex(64)}; Path=/"
        return Answer.page("G-Portal", headers=(("Set-Cookie", cookie),))

    def authenticate(self, request: Request) -> Answer:
        """Log in: cookie and field must hold the same token."""
        token = request.cookies.get(CSRF)
        if not token or request.form.get(CSRF) != token:
            return Answer.of_json({"status": 0, "message": "invalid token"}, status=403)
        self.password_posts += 1
        given = (request.form.get("account"), request.form.get("password"))
        if given != (self.account.username, self.account.password):
            return Answer.of_json({"status": 0, "key": None})
        login = secrets.token_hex(24)
        self.logins.add(login)
        cookie = ("Set-Cookie", f"{TOKEN}={login}; Path=/; HttpOnly")
        return Answer.of_json({"status": 1, "key": "demo"}, headers=(cookie,))

    def download(self, request: Request) -> Answer:
        """Give a file to who is logged in, to others the login page."""
        if request.cookies.get(TOKEN) not in self.logins:
            return Answer.page("G-Portal Login", '<input type="password" id="auth_password">')
        for offer in self.offers:
            if request.path == self.file_name(offer).removeprefix(self.url):
                return Answer.download(offer.archive)
        return Answer.page("Not Found", status=404)


def _matches(offer: Offer, query: dict[str, str]) -> bool:
    datasets = query.get("datasetId", "")
    if datasets and offer.dataset_id not in datasets.split(","):
        return False
    # Times of the catalogue and of the query begin with the same ISO date and time.
    if query.get("startTime", "") > offer.end or offer.start > query.get("endTime", "9"):
        return False
    if not query.get("bbox"):
        return True
    west, south, east, north = (float(side) for side in query["bbox"].split(","))
    lons, lats = [lon for lon, _ in offer.ring], [lat for _, lat in offer.ring]
    return min(lons) <= east and max(lons) >= west and min(lats) <= north and max(lats) >= south
