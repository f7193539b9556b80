"""Which site of a portal is spoken to: built-in profiles, changed by settings and environment.

A profile is a table ``[portals.<name>]`` of ``alos2.toml``. Its name is that of the portal or of
one of the portal's built-in profiles, which it changes; or any other, which then says by ``like``
what it resembles. ``url`` is the base URL; the other keys are the portal's settings. The table of
the portal's own name may say by ``profile`` which one is meant where none is named.
``ALOS2_PORTAL_<NAME>_URL`` wins over the table's ``url``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from alos2.errors import UsageError
from alos2.sources.portals.model import PortalProfile
from alos2.sources.portals.registry import factory_of

Tables = Mapping[str, Mapping[str, str]]
"""What the settings say: profile, key, value."""

_OWN_KEYS: Final = ("url", "like", "profile")


def profiles_of(portal: str) -> Mapping[str, PortalProfile]:
    """Return the built-in profiles of a portal, the default one first; empty if it tells none.

    Raises
    ------
    UsageError
        There is no such portal.
    """
    profiles: Mapping[str, PortalProfile] = getattr(factory_of(portal), "profiles", {})
    return profiles


def chosen_profile(
    portal: str, name: str | None, tables: Tables, environ: Mapping[str, str]
) -> PortalProfile | None:
    """Return the profile to use for a portal; None for the portal's own default.

    Parameters
    ----------
    portal : str
        A portal's name.
    name : str, optional
        The profile that was asked for: its name, or what follows the portal's name in it
        (``legacy`` for ``gportal-legacy``).
    tables : mapping
        Of the settings.
    environ : mapping
        The environment.

    Raises
    ------
    UsageError
        There is no profile of that name, or nobody says where it is.
    """
    built_in = profiles_of(portal)
    known = {*built_in, *tables, portal}
    name = name or tables.get(portal, {}).get("profile") or next(iter(built_in), portal)
    if name not in known and f"{portal}-{name}" in known:
        name = f"{portal}-{name}"
    # What is said of the portal is said of its default profile.
    default = name == next(iter(built_in), portal)
    table = dict(tables.get(portal, {})) if default else {}
    table |= tables.get(name, {})
    base = built_in.get(table.get("like", name))
    if name not in known or ("like" in table and base is None):
        wanted = table.get("like", name)
        raise UsageError(
            f"{portal} has no profile {wanted!r}",
            hint=f"one of {', '.join(built_in) or portal}, or a table [portals.{name}] "
            "of alos2.toml",
        )
    url = _from_environment(name, environ) or (
        _from_environment(portal, environ) if default else None
    )
    url = url or table.get("url") or (base.base_url if base else "")
    settings = {key: value for key, value in table.items() if key not in _OWN_KEYS}
    if not url:
        if settings:
            raise UsageError(f"[portals.{name}] of alos2.toml has no url", hint="add it")
        return None
    return PortalProfile(name, url, {**(base.settings if base else {}), **settings})


def _from_environment(name: str, environ: Mapping[str, str]) -> str | None:
    variable = f"ALOS2_PORTAL_{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}_URL"
    return environ.get(variable) or None
