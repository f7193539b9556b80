"""A portal's session never leaves the portal: its cookie must not be shown to anybody else."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests

from alos2.errors import TransferFailed, UsageError
from alos2.sources.httpauth import Origin, origin_of
from alos2.sources.portals.weblogin import NotAccepted

_SECURE_PORT: Final = 443
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def require_https(base_url: str, profile: str) -> None:
    """Refuse an address where a password or a cookie would go in clear.

    Raises
    ------
    UsageError
        It is not https, nor http on this computer; or it holds a name or a password.
    """
    try:
        scheme, host, _ = origin_of(base_url)
        userinfo = "@" in urlsplit(base_url).netloc
    except ValueError:
        scheme, host, userinfo = "", "", False
    if userinfo:
        raise UsageError(
            f"profile {profile!r}: the address holds a user name",
            hint="give the account as docs/credentials.md shows",
        )
    if scheme != "https" and not (scheme == "http" and host in _LOOPBACK):
        raise UsageError(
            f"profile {profile!r}: its address ({host or 'none'}) is not https",
            hint="a portal is spoken to by https only (http is for servers on this very computer)",
        )


def keep_https(session: requests.Session, base_url: str) -> None:
    """Make `session` follow a redirect to the site's own http address over https."""
    site = origin_of(base_url)

    def keep(response: requests.Response, **_: Any) -> requests.Response:
        target = response.headers.get("Location")
        if response.is_redirect and target is not None:
            url = urljoin(response.url, target)
            try:
                own = is_own_http(origin_of(url), site)
            except ValueError:
                return response  # the session refuses it
            if own:
                parts = urlsplit(url)._replace(scheme=site[0], netloc=urlsplit(base_url).netloc)
                response.headers["Location"] = parts.geturl()
        return response

    session.hooks["response"].append(keep)


def stay_on_site(session: requests.Session, base_url: str, *, login: str) -> None:
    """Make `session` follow redirects only within its site.

    The answer to a form is taken as it is. A redirect to the login page, or to a host without a
    domain (of the portal's inner network), means that the session has ended. One to the site's own
    http address, as servers behind a TLS proxy send it, is followed over https.

    Parameters
    ----------
    session : requests.Session
        Gets a hook.
    base_url : str
        Address of the portal.
    login : str
        Path of its login page.

    Raises
    ------
    NotAccepted
        (by requests of the session) A redirect to the login.
    TransferFailed
        (by requests of the session) A redirect to another site.
    """
    site = origin_of(base_url)

    def stay(response: requests.Response, **_: Any) -> requests.Response:
        target = response.headers.get("Location")
        if not response.is_redirect or target is None:
            return response
        if response.request.method == "POST":
            # A form with a password goes no further, and where it leads is nobody's business.
            del response.headers["Location"]
            return response
        url = urljoin(response.url, target)
        try:
            there = origin_of(url)
        except ValueError:
            response.close()
            raise TransferFailed(f"{site[1]} redirects to something that is no URL") from None
        if is_own_http(there, site):
            url = urlsplit(url)._replace(scheme=site[0], netloc=urlsplit(base_url).netloc).geturl()
            response.headers["Location"] = url
            there = site
        inner = there != site and "." not in there[1] and ":" not in there[1]
        if inner or (there == site and urlsplit(url).path.rstrip("/") == login.rstrip("/")):
            response.close()
            raise NotAccepted("a page of the portal", "", asks_password=True)
        if there != site:
            response.close()
            raise TransferFailed(
                f"{site[1]} redirects to another site ({there[1]}), which is not followed",
                hint="the portal may have moved: see docs/portals.md",
            )
        return response

    session.hooks["response"].append(stay)


def is_own_http(there: Origin, site: Origin) -> bool:
    """Tell whether `there` is the open address of the site's own host."""
    own = there[1] == site[1] and there[0] == "http" and site[0] == "https"
    return own and (there[2] in (80, site[2]) if site[2] != _SECURE_PORT else there[2] == 80)
