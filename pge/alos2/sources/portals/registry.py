"""Which portals there are, and how one is opened: built-in ones, and entry points.

A portal is a callable that takes a `PortalSetting` and returns a `Portal`. A third party adds one
as an entry point of the group ``alos2.portals``, named as the portal: see docs/portals.md.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Final, TypeAlias, cast

from alos2.errors import UsageError
from alos2.sources.credentials import Choice
from alos2.sources.model import TransferOptions
from alos2.sources.portals.model import Portal, PortalProfile

ENTRY_POINT_GROUP: Final = "alos2.portals"
"""Entry points of this group add portals; their name is the portal's, in lower case."""


@dataclass(frozen=True)
class PortalSetting:
    """What a portal is made of.

    Parameters
    ----------
    profile
        Where it is and how it is spoken to; None: its own default.
    credential
        A profile's name, or a credential itself; None: whatever is found for it.
    options
        Patience of its questions and transfers.
    """

    profile: PortalProfile | None = None
    credential: Choice = None
    options: TransferOptions = field(default_factory=TransferOptions)


PortalFactory: TypeAlias = Callable[[PortalSetting], Portal]

_BUILT_IN: Final[Mapping[str, str]] = {
    "auig2": "alos2.sources.portals.auig2:Auig2",
    "gportal": "alos2.sources.portals.gportal:GPortal",
    "sentinel-asia": "alos2.sources.portals.sentinel_asia:SentinelAsia",
    "optemis": "alos2.sources.portals.optemis:Optemis",
}
"""Imported when one is opened: each brings its libraries."""


def _plugins() -> dict[str, EntryPoint]:
    """Return the entry points by name; the built-in portals cannot be taken over."""
    found = entry_points(group=ENTRY_POINT_GROUP)
    return {e.name.lower(): e for e in found if e.name.lower() not in _BUILT_IN}


def names() -> tuple[str, ...]:
    """Return the names of all portals, the built-in ones first."""
    return (*_BUILT_IN, *sorted(_plugins()))


def factory_of(name: str) -> PortalFactory:
    """Return what makes the portal `name`.

    Raises
    ------
    UsageError
        There is none of that name, or its plugin cannot be loaded.
    """
    if name in _BUILT_IN:
        module, _, attribute = _BUILT_IN[name].partition(":")
        return cast(PortalFactory, getattr(importlib.import_module(module), attribute))
    plugin = _plugins().get(name)
    if plugin is None:
        raise UsageError(f"there is no portal {name!r}", hint=f"one of {', '.join(names())}")
    try:
        return cast(PortalFactory, plugin.load())
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"the plugin {plugin.value!r} for the portal {name} cannot be loaded: {error}",
            hint="install it again, or remove it",
        ) from error


@contextmanager
def open_portal(
    name: str,
    *,
    profile: PortalProfile | None = None,
    credential: Choice = None,
    options: TransferOptions = TransferOptions(),  # noqa: B008  (frozen)
) -> Iterator[Portal]:
    """Open a portal; nothing is asked of it before something is wanted.

    Parameters
    ----------
    name : str
        One of `names`.
    profile : PortalProfile, optional
        Where it is; None: its own default.
    credential : str or Credential, optional
        A profile's name, or a credential itself; None: whatever is found for the portal.
    options : TransferOptions
        Timeouts and retries.

    Raises
    ------
    UsageError
        There is none of that name, its plugin cannot be loaded, or its profile is wrong.
    """
    portal = factory_of(name)(PortalSetting(profile, credential, options))
    try:
        yield portal
    finally:
        portal.close()
