"""Which store takes a location: by its scheme, built-in or from an entry point."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Final, cast

from alos2.errors import UsageError
from alos2.publish.model import PublishOptions, Store

ENTRY_POINT_GROUP: Final = "alos2.stores"
"""Entry points of this group add schemes: the name is the scheme, what it loads a `Factory`."""

Factory = Callable[[PublishOptions], Store]


def _local(options: PublishOptions) -> Store:
    from alos2.publish.local import LocalStore  # noqa: PLC0415  only what is used is loaded

    return LocalStore(options)


def _s3(options: PublishOptions) -> Store:
    from alos2.publish.s3 import S3Store  # noqa: PLC0415  only what is used is loaded

    return S3Store(options)


def _dav(options: PublishOptions) -> Store:
    from alos2.publish.dav import DavStore  # noqa: PLC0415  only what is used is loaded

    return DavStore(options)


_BUILT_IN: Final[dict[str, Factory]] = {
    "": _local,
    "file": _local,
    "s3": _s3,
    "s3s": _s3,
    **dict.fromkeys(("dav", "davs", "webdav", "webdavs", "http", "https"), _dav),
}


def store_for(location: str, options: PublishOptions) -> Store:
    """Return the store that takes `location`.

    Raises
    ------
    UsageError
        Nobody handles its scheme, or the plugin that does cannot be loaded.
    """
    scheme = location.partition("://")[0].lower() if "://" in location else ""
    if scheme in _BUILT_IN:
        return _BUILT_IN[scheme](options)
    plugins = {e.name.lower(): e for e in entry_points(group=ENTRY_POINT_GROUP)}
    if scheme not in plugins:
        known = ", ".join(sorted({*(name for name in _BUILT_IN if name), *plugins}))
        raise UsageError(
            f"nothing can be published to {scheme}://", hint=f"use a folder or one of {known}"
        )
    try:
        factory = cast(Factory, plugins[scheme].load())
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"the plugin {plugins[scheme].value!r} for {scheme}:// cannot be loaded: {error}",
            hint="install it again, or remove it",
        ) from error
    return factory(options)
