"""The old G-Portal over real sockets, with what can go wrong on it."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, replace

from alos2.simulate.portals import Account, Answer, Offer, Request, WebPortalServer


@dataclass
class Faults:
    """Each is off; set one while the server runs."""

    no_csrf: bool = False
    """The landing page plants no token, as behind a firewall that takes us for a robot."""
    login_not_json: bool = False
    """The login answers 200 with a page: maintenance."""
    login_500: bool = False
    key_null: bool = False
    """A refusal in the other dialect: status 1, and a key that is null."""
    no_cookie: bool = False
    """status 1 and no session cookie."""
    expire_after: int | None = None
    """So many downloads are served before the session expires."""
    away: str | None = None
    """Downloads are redirected to this address."""
    cut_at: int | None = None
    """The next download breaks off there; then it is off again."""
    csw_page: int = 0
    """So many answers of the catalogue are 200 with a page."""
    csw_status: int = 0
    """The catalogue answers with this status."""
    null_geometry: bool = False
    zero_size: bool = False
    stuck: bool = False
    """startIndex is ignored."""
    foreign_file: str | None = None
    """Records name this file."""


class GPortalOld(WebPortalServer):
    """The server of `alos2.simulate.portals` with faults.

    Parameters
    ----------
    account, offers, tls
        As there.
    """

    def __init__(
        self, account: Account, offers: Sequence[Offer], *, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(account, offers, tls=tls)
        self.faults = Faults()
        self.downloads = 0
        self.logins_made = 0

    def answer(self, request: Request) -> Answer:
        faults = self.faults
        if request.path == self.csw_path:
            if faults.csw_page:
                faults.csw_page -= 1
                return Answer.page("G-Portal is busy")
            if faults.csw_status:
                return Answer.page("Error", status=faults.csw_status)
            if faults.stuck:
                request = replace(request, query={**request.query, "startIndex": "1"})
        return super().answer(request)

    def feature(self, offer: Offer) -> dict[str, object]:
        feature = super().feature(offer)
        if self.faults.null_geometry:
            feature["geometry"] = None
        if self.faults.zero_size:
            feature["properties"]["product"]["size"] = "0"
        if self.faults.foreign_file:
            feature["properties"]["product"]["fileName"] = self.faults.foreign_file
        return feature

    def landing(self) -> Answer:
        return Answer.page("Blocked", status=200) if self.faults.no_csrf else super().landing()

    def authenticate(self, request: Request) -> Answer:
        faults = self.faults
        if faults.login_500:
            return Answer.page("Error", status=503)
        if faults.login_not_json:
            return Answer.page("Under maintenance")
        answer = super().authenticate(request)
        if faults.key_null:
            return Answer.of_json({"status": 1, "key": None})
        if faults.no_cookie:
            return replace(answer, headers=())
        self.logins_made += bool(answer.headers)
        return answer

    def download(self, request: Request) -> Answer:
        faults = self.faults
        if faults.away:
            return Answer.redirect(faults.away)
        answer = super().download(request)
        if answer.content_type != "application/zip":
            return answer
        self.downloads += 1
        if faults.expire_after is not None and self.downloads > faults.expire_after:
            faults.expire_after = None
            self.logins.clear()
            return super().download(request)
        cut, faults.cut_at = faults.cut_at, None
        return replace(answer, cut_at=cut) if cut is not None else answer
