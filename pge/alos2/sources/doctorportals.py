"""Is a portal there, and does it let us in: its host first, then what the portal itself checks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from alos2.sources.credentials import resolve
from alos2.sources.doctor import Check
from alos2.sources.doctorhosts import TIMEOUT_S, host_checks
from alos2.sources.model import TransferOptions
from alos2.sources.portals.model import PortalProfile
from alos2.sources.portals.profiles import profiles_of
from alos2.sources.portals.registry import open_portal

_OPTIONS: Final = TransferOptions(connect_s=TIMEOUT_S, stall_s=TIMEOUT_S, retries=0)


def portal_checks(
    name: str, *, profile: PortalProfile | None, credential: str | None
) -> Iterator[Check]:
    """Yield what can be said of a portal; it is logged in to at most once.

    Parameters
    ----------
    name : str
        A portal's name.
    profile : PortalProfile, optional
        Which site of it; None: its own default.
    credential : str, optional
        Name of the credential profile.
    """
    site = _site(name, profile)
    if site is not None:
        ca_file = site.settings.get("ca_file")
        for check in host_checks(site.base_url, ca_file=Path(ca_file) if ca_file else None):
            yield check
            if check.ok is False and check.exit_code != 2:  # a wrong clock hinders nobody yet
                return
    with open_portal(name, profile=profile, credential=credential, options=_OPTIONS) as portal:
        if portal.experimental:
            yield Check(name, None, f"{portal.title} is experimental: not seen by us in operation")
        yield from portal.checks()


def has_account(name: str, profile: PortalProfile | None) -> bool:
    """Tell whether there is an account for a portal, without asking the portal.

    Raises
    ------
    UsageError
        The files of credentials are open to others or damaged.
    """
    site = _site(name, profile)
    host = urlsplit(site.base_url).netloc if site is not None else None
    named = f"ALOS2_{name.upper().replace('-', '_')}_USERNAME"
    return os.environ.get(named) is not None or resolve(name, host=host) is not None


def _site(name: str, profile: PortalProfile | None) -> PortalProfile | None:
    return profile or next(iter(profiles_of(name).values()), None)
