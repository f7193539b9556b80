"""AUIG2: orders, each a zip, behind the login of an OpenAM server.

Legacy: nobody knows how long it will be there, so hosts, paths and the words by which a refusal is
known are configuration. Source: public clients of 2019 and 2020, and links that the site has sent.

The password form is sent twice: the first time only plants a session, the second time logs in.
Whatever goes wrong is answered by 200 and a web page, or by a redirect whose ``goto`` names a host
of the portal's inner network. So a login counts when its cookie is there; a page with a password
field instead of an order means that the session has ended; any other page that there is nothing to
download under this order id.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

import requests

from alos2.dataset.hidden import without_hidden
from alos2.errors import LoginFailed, TransferFailed, UsageError
from alos2.sources.credentials import hide_cookies, login_attempt, require
from alos2.sources.http import HttpRemote
from alos2.sources.portals.asking import Answer, ask
from alos2.sources.portals.auig2_order import Order
from alos2.sources.portals.model import Item, PortalProfile, Query
from alos2.sources.portals.samesite import require_https, stay_on_site
from alos2.sources.portals.weblogin import LoggedIn, WebLogin
from alos2.sources.remote import Remote
from alos2.sources.session import new_session

if TYPE_CHECKING:
    from alos2.sources.credentials import Credential, Secret
    from alos2.sources.credentials.refused import Attempt
    from alos2.sources.doctor import Check
    from alos2.sources.portals.registry import PortalSetting

log = logging.getLogger(__name__)

NAME: Final = "auig2"
DEFAULT: Final = PortalProfile(
    NAME,
    "https://auig2.jaxa.jp",
    {
        "login": "/openam/UI/Login",
        "download": "/pp/service/download",
        "file": "/start/download/file",
        "item_type": "1",
        "cookie": "iPlanetDirectoryPro",
        "refused": "authentication failed|user locked|account (?:has been|is) locked|"
        "invalid (?:password|user)",
        "ca_file": "",
    },
)
"""``refused``: a regular expression; a page that it is found in refuses the account."""

_ORDER: Final = re.compile(r"[0-9]{1,20}")
_SEPARATORS: Final = re.compile(r"[\s,;]+")


def order_ids(text: str) -> tuple[str, ...]:
    """Return the order ids in a text, as they are written, zeros in front included.

    Parameters
    ----------
    text : str
        One or several, with commas or spaces between.

    Raises
    ------
    UsageError
        There is none, or something is no order id.
    """
    words = [word for word in _SEPARATORS.split(text) if word]
    for word in words:
        if not _ORDER.fullmatch(word):
            raise UsageError(
                f"{word[:40]!r} is no AUIG2 order id", hint="it has digits only, as 0000006003"
            )
    if not words:
        raise UsageError("no order id is given", hint="the mail of AUIG2 has it: order ID 000...")
    return tuple(dict.fromkeys(words))


class Auig2:
    """The portal; logs in when an order is first downloaded, once for all of them.

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
    title: Final = "AUIG2"
    experimental: Final = False
    profiles: Final[Mapping[str, PortalProfile]] = {NAME: DEFAULT}

    def __init__(self, setting: PortalSetting) -> None:
        profile = setting.profile or DEFAULT
        unknown = sorted(set(profile.settings) - set(DEFAULT.settings))
        if unknown:
            raise UsageError(
                f"profile {profile.name!r} has unknown settings: {', '.join(unknown)}",
                hint=f"known ones are {', '.join(sorted(DEFAULT.settings))}",
            )
        self._settings = {**DEFAULT.settings, **profile.settings}
        require_https(profile.base_url, profile.name)
        self._base = profile.base_url.rstrip("/")
        self._where = urlsplit(self._base).netloc.rpartition("@")[2]
        try:
            self._refused = re.compile(self._settings["refused"], re.I)
        except re.error as error:
            raise UsageError(
                f"profile {profile.name!r}: 'refused' is no regular expression: {error}",
                hint="mend it in alos2.toml",
            ) from None
        self._credential = setting.credential
        self._options = setting.options
        self._login = WebLogin(self._where, self._signed_in)

    def search(self, query: Query) -> Iterator[Item]:
        """Yield the orders of ``query.ids``; nothing is asked of the portal, which cannot list.

        Raises
        ------
        UsageError
            Something else is looked for, or an id is none.
        """
        if not query.ids or query.eor_id or query.start or query.end or query.bbox or query.mode:
            raise UsageError(
                "AUIG2 delivers orders by their ids and cannot be searched",
                hint="alos2 ingest auig2 ORDER_ID; to search: alos2 search --source gportal",
            )
        for order in order_ids(" ".join(query.ids))[: query.limit]:
            yield Item(NAME, order, order_id=order)

    def remote(self, item: Item) -> Remote:
        """Return what delivers an order; the login is made when it is first opened."""
        order = item.order_id or item.id
        if not _ORDER.fullmatch(order):
            raise UsageError(f"{order[:40]!r} is no AUIG2 order id", hint="it has digits only")
        query = {
            "downloadurl": self._settings["file"],
            "itemname": order,
            "itemtype": self._settings["item_type"],
        }
        url = f"{self._base}{self._settings['download']}?{urlencode(query, safe='/')}"

        def connect(session: requests.Session) -> Remote:
            return Order(order, HttpRemote(url, session, options=self._options), self._where)

        return LoggedIn(self._login, url, connect, f"order {order}")

    def checks(self) -> Iterator[Check]:
        """Yield whether the account can log in; one try."""
        # Imported late: doctor knows all rooms.
        from alos2.sources.doctor import login_check  # noqa: PLC0415

        yield login_check(self._login.log_in, where=self._where)

    def close(self) -> None:
        """Let go of the connections."""
        self._login.close()

    def _signed_in(self) -> requests.Session:
        """Return a new session that is logged in."""
        account = require(NAME, host=self._where, profile=self._credential)
        if account.password is None:
            raise LoginFailed(
                f"the account of {account.origin} for {self._where} has no password",
                hint="a login form takes no key: give a password where the name is",
            )
        session = new_session(self._options)
        ca_file = account.ca_file or self._settings["ca_file"]
        if ca_file:
            session.verify = str(Path(ca_file).expanduser())
        stay_on_site(session, self._base, login=self._settings["login"])
        try:
            with login_attempt(account, where=self._where) as attempt:
                self._log_in(session, account, account.password, attempt)
                attempt.accepted()
        except BaseException:
            session.close()
            raise
        log.info("%s: logged in (%s)", self._where, account.origin)
        return session

    def _log_in(
        self, session: requests.Session, account: Credential, password: Secret, attempt: Attempt
    ) -> None:
        """Send the form, at most twice.

        Raises
        ------
        LoginFailed
            The account was refused.
        TransferFailed
            The portal answers neither with its cookie nor with its login page.
        """
        form = {"IDToken1": account.username, "IDToken2": password.reveal()}
        answer = self._post(session, form)
        if not self._has_cookie(session) and not self._refusal(answer):
            answer = self._post(session, form)
        refusal = self._refusal(answer)
        if refusal or answer.asks_password:
            told = f" ({refusal})" if refusal else ""
            raise attempt.refused(
                f"{self._where} did not accept the password of {account.username}{told}"
            )
        if self._has_cookie(session):
            return
        answer.require_ok("a login")
        titled = (
            f" but with a page titled {without_hidden(answer.title)!r}" if answer.is_page else ""
        )
        raise TransferFailed(
            f"{self._where} did not answer the login with its cookie "
            f"{self._settings['cookie']}{titled}",
            hint="it may be under maintenance, or have changed: see docs/portals.md",
        )

    def _post(self, session: requests.Session, form: dict[str, str]) -> Answer:
        """Send the form once: no retry, and no redirect, which could carry it elsewhere."""
        answer = ask(
            session,
            "POST",
            f"{self._base}{self._settings['login']}",
            where=self._where,
            options=self._options,
            once=True,
            data=form,
            allow_redirects=False,
        )
        hide_cookies(session.cookies.values())
        return answer

    def _has_cookie(self, session: requests.Session) -> bool:
        name = self._settings["cookie"]
        return any(c.name == name and c.value not in (None, "", "LOGOUT") for c in session.cookies)

    def _refusal(self, answer: Answer) -> str:
        """Return the words by which a page refuses the account; empty if it does not."""
        found = self._refused.search(answer.text) if answer.is_page else None
        return found[0] if found else ""
