"""AUIG2 over real sockets, with what can go wrong on it."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, replace

from alos2.simulate.portals import Account, Answer, Auig2Server, Offer, Request
from alos2.simulate.portals.auig2 import DOWNLOAD, LOGIN

LOGIN_FORM = (
    '<form method="post" action="/openam/UI/Login"><input name="IDToken1">'
    '<input type="password" name="IDToken2"></form>'
)
INNER = "http%3A%2F%2Fal2mwb01%3A80%2Fpp%2Fservice%2Fdownload"
"""What real links of the portal have in ``goto``: a host of its inner network."""


@dataclass
class Faults:
    """Each is off; set one while the server runs."""

    refuse_with: str = ""
    """A refused password is answered with these words, to the first form already."""
    maintenance: bool = False
    """The login answers 200 with a page that is no login page."""
    login_status: int = 0
    login_redirects: str = ""
    """A login that was accepted is answered by a redirect to this address."""
    expire_after: int | None = None
    """So many downloads are begun before the session expires."""
    always_expired: bool = False
    """No session is good enough for a download."""
    ended_by: str = "redirect"
    """How an ended session is told: redirect, inner, page, status (403)."""
    away: str = ""
    """Downloads are redirected to this address."""
    own_http: bool = False
    """The first download is redirected to the site's own http address, as behind a TLS proxy."""
    page_title: str = ""
    """Downloads are answered with a page of this title."""
    cuts: tuple[int, ...] = ()
    """Each of the next downloads breaks off after so many bytes."""
    stall_s: float = 0.0
    """It is silent for so long before that."""
    expire_at_cut: bool = False
    """When a download breaks off, the session ends too."""
    no_disposition: bool = False
    no_validator: bool = False
    status: tuple[int, ...] = ()
    """What the next downloads are answered with."""


class FakeAuig2(Auig2Server):
    """The server of `alos2.simulate.portals` with faults.

    Attributes
    ----------
    logins_made : int
        How often a login was accepted.
    downloads : int
        How often a zip was begun to be sent.
    """

    def __init__(
        self, account: Account, offers: Sequence[Offer], *, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(account, offers, tls=tls)
        self.faults = Faults()
        self.logins_made = 0
        self.downloads = 0
        self.planted: list[str] = []
        """Values of all cookies that were given."""

    def answer(self, request: Request) -> Answer:
        answer = self._wrong(request) or super().answer(request)
        for name, value in answer.headers:
            if name == "Set-Cookie":
                self.planted.append(value.partition("=")[2].partition(";")[0])
        return answer

    def _wrong(self, request: Request) -> Answer | None:
        if request.path == LOGIN and request.method == "POST":
            return self._wrong_login(request)
        if request.path == DOWNLOAD:
            return self._wrong_download(request)
        return None

    def _wrong_login(self, request: Request) -> Answer | None:
        faults = self.faults
        if faults.login_status:
            return Answer.page("Error", status=faults.login_status)
        if faults.maintenance:
            return Answer.page("Under maintenance", "Come back tomorrow.")
        given = (request.form.get("IDToken1"), request.form.get("IDToken2"))
        right = given == (self.account.username, self.account.password)
        if faults.refuse_with and not right:
            self.password_posts += 1
            return Answer.page("AUIG2", LOGIN_FORM + f"<p>{faults.refuse_with}</p>")
        before = set(self.logins)
        answer = super().answer(request)
        if self.logins - before:
            self.logins_made += 1
            if faults.login_redirects:
                return replace(
                    answer,
                    status=302,
                    headers=(*answer.headers, ("Location", faults.login_redirects)),
                )
        return answer

    def _wrong_download(self, request: Request) -> Answer | None:
        faults = self.faults
        if faults.away:
            return Answer.redirect(faults.away)
        if faults.status:
            status, *rest = faults.status
            faults.status = tuple(rest)
            return Answer.page("Error", status=status)
        if faults.own_http:
            faults.own_http = False
            port = self.url.rpartition(":")[2]
            return Answer.redirect(f"http://localhost:{port}{DOWNLOAD}?{_query(request)}")
        if faults.expire_after is not None and self.downloads >= faults.expire_after:
            faults.expire_after = None
            self.logins.clear()
        if faults.always_expired:
            self.logins.clear()
        if request.cookies.get("iPlanetDirectoryPro") not in self.logins:
            return self._ended()
        if faults.page_title:
            return Answer.page(faults.page_title, "There is nothing to see.")
        return self._sent(request)

    def _ended(self) -> Answer:
        how = self.faults.ended_by
        if how == "page":
            return Answer.page("AUIG2 Login", LOGIN_FORM)
        if how == "status":
            return Answer.page("Forbidden", status=403)
        if how == "inner":
            return Answer.redirect("http://al2mwb01:80/pp/service/download")
        return Answer.redirect(f"{LOGIN}?goto={INNER}")

    def _sent(self, request: Request) -> Answer:
        faults = self.faults
        answer = super().answer(request)
        if answer.content_type != "application/zip":
            return answer
        self.downloads += 1
        if faults.no_disposition:
            answer = replace(answer, headers=())
        if faults.no_validator and not isinstance(answer.body, bytes):
            answer = replace(answer, body=answer.body.read_bytes())
        if faults.cuts:
            cut, *rest = faults.cuts
            faults.cuts = tuple(rest)
            if faults.expire_at_cut:
                self.logins.clear()
            return replace(answer, cut_at=cut, stall_s=faults.stall_s)
        return answer


def _query(request: Request) -> str:
    return "&".join(f"{name}={value}" for name, value in request.query.items())
