"""The two sites of G-Portal as named profiles: hosts, paths and login method are configuration.

Source: public clients of the old site; for the new one a downloader's record of 2026-10-02. The old
site was to be shut at the end of October 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast
from urllib.parse import urljoin

from alos2.errors import UsageError
from alos2.sources.portals.model import PortalProfile
from alos2.sources.portals.samesite import require_https

Method = Literal["web", "key"]
"""How one logs in to download: by account and password on the web site, by key over SFTP."""

LEGACY: Final = PortalProfile(
    "gportal-legacy",
    "https://gportal.jaxa.jp",
    {
        "method": "web",
        "csw": "/csw/csw",
        "landing": "/gpr/",
        "login": "/gpr/auth",
        "authenticate": "/gpr/auth/authenticate.json",
        "download": "/download/",
    },
)
"""The old site: account and password."""

NEW: Final = PortalProfile(
    "gportal-2026",
    "https://csw.gportal.jaxa.jp",
    {
        "method": "key",
        "csw": "/csw",
        "sftp": "sftp://sftp.gportal.jaxa.jp:22",
        "sftp_root": "/product/Standard/",
    },
)
"""The site that opened in October 2026: SFTP, by key only."""

PROFILES: Final[Mapping[str, PortalProfile]] = {p.name: p for p in (NEW, LEGACY)}
"""The first one is the default."""

SETTINGS: Final = frozenset(
    {*LEGACY.settings, *NEW.settings, "host_key", "ca_file"},
)
"""What a profile may say; all text."""


@dataclass(frozen=True)
class Site:
    """A profile that has been read and checked."""

    name: str
    method: Method
    base_url: str
    csw_url: str
    landing_url: str
    login_url: str
    """The page with the form; a redirect to it means that nobody is logged in."""
    authenticate_url: str
    download_url: str
    """What every download begins with (method ``web``)."""
    sftp_url: str
    """``sftp://host:port`` (method ``key``)."""
    sftp_root: str
    """What takes the place of ``.../Standard/`` in the catalogue's file names."""
    host_key: str
    """Pinned fingerprint, ``SHA256:...``; empty: known_hosts decides."""
    ca_file: str
    """Certificates to be trusted besides the system's; empty: none."""


def site_of(profile: PortalProfile) -> Site:
    """Read a profile; what it leaves out is as in the built-in one of its name, or the new site's.

    Raises
    ------
    UsageError
        It says something that is unknown or cannot be.
    """
    unknown = sorted(set(profile.settings) - SETTINGS)
    if unknown:
        raise UsageError(
            f"profile {profile.name!r} has unknown settings: {', '.join(unknown)}",
            hint=f"known ones are {', '.join(sorted(SETTINGS))}",
        )
    given = {**(PROFILES.get(profile.name, NEW).settings), **profile.settings}
    method = given["method"]
    if method not in ("web", "key"):
        raise UsageError(
            f"profile {profile.name!r}: the login method {method!r} is neither web nor key",
            hint="web: account and password on the site; key: SFTP",
        )
    if method == "web":
        given = {**LEGACY.settings, **given}
    base = profile.base_url.rstrip("/") + "/"

    def url(setting: str) -> str:
        joined = urljoin(base, given.get(setting, ""))
        require_https(joined, profile.name)
        return joined

    return Site(
        name=profile.name,
        method=cast(Method, method),
        base_url=url(""),
        csw_url=url("csw"),
        landing_url=url("landing"),
        login_url=url("login"),
        authenticate_url=url("authenticate"),
        download_url=url("download"),
        sftp_url=given.get("sftp", "").rstrip("/"),
        sftp_root="/" + given.get("sftp_root", "/product/Standard/").strip("/") + "/",
        host_key=given.get("host_key", ""),
        ca_file=given.get("ca_file", ""),
    )
