"""What a child job is told: the one thing it ingests, and nothing secret.

A child is a job of its parent's own type, on the same job-spec. Of the parent's parameters those
that said what to look for become empty, the one that names a single file is set, and the others
(the name of an account, for instance) are handed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from alos2.errors import UsageError

_NAMES_ONE: Final = ("data_id", "gportal_id", "auig2_orderid")
"""Parameters that name what a child ingests; a job-spec has one of them."""

_SEARCH: Final = frozenset(
    {"eor_id", "start_date", "end_date", "bbox", "mode", "limit", "queue", "resubmit"}
)
"""Parameters that say what to look for, or how to fan out: no child needs them."""

_SECRETS: Final = ("password", "passwd", "secret", "token")
"""Parts of the names of parameters that are never handed on: Mozart logs what it gets."""


class Item(Protocol):
    """One file that a portal can deliver, e.g. ``alos2.sources.portals.model.Item``."""

    @property
    def provider(self) -> str:
        """Name of the portal."""

    @property
    def id(self) -> str:
        """Unique at the provider."""

    @property
    def title(self) -> str:
        """What the portal says about it."""

    @property
    def order_id(self) -> str | None:
        """Of the order it belongs to."""

    @property
    def eor_id(self) -> str | None:
        """Of the observation request it belongs to."""

    @property
    def data_id(self) -> str | None:
        """What the dataset's ``source.data_id`` will be."""


def delivery_id(item: Item) -> str:
    """Return what a dataset made of `item` is looked up by."""
    return item.data_id or item.id


def child_params(context: Mapping[str, Any], item: Item) -> dict[str, str]:
    """Return a value for each parameter of the parent's job-spec.

    Parameters
    ----------
    context : mapping
        The parent's ``_context.json``.
    item : Item
        What the child ingests.

    Raises
    ------
    UsageError
        The context tells of no parameters, or of none that names a single file.
    """
    names = _names(context)
    told = {
        "data_id": delivery_id(item),
        "data_eor_id": item.eor_id or "",
        "gportal_id": delivery_id(item),
        "auig2_orderid": item.order_id or item.id,
    }
    if not set(names) & set(_NAMES_ONE):
        raise UsageError(
            f"a job with the parameters {', '.join(names)} cannot be told of one file",
            hint=f"it needs one of {', '.join(_NAMES_ONE)}; leave the queue empty",
        )
    return {name: told.get(name, _handed_on(context, name)) for name in names}


def job_type(context: Mapping[str, Any]) -> str:
    """Return the id of the parent's job-spec, with its version.

    Raises
    ------
    UsageError
        The context does not tell.
    """
    specification = context.get("job_specification")
    found = specification.get("id") if isinstance(specification, dict) else None
    if not isinstance(found, str) or not found:
        raise UsageError(
            "_context.json does not say which job-spec this job is of", hint="run it under HySDS"
        )
    return found


def _names(context: Mapping[str, Any]) -> list[str]:
    job_type(context)
    params = context["job_specification"].get("params")
    names = [p.get("name") for p in params or () if isinstance(p, dict)]
    return [name for name in names if isinstance(name, str)]


def _handed_on(context: Mapping[str, Any], name: str) -> str:
    if name in _SEARCH or any(part in name.lower() for part in _SECRETS):
        return ""
    value = context.get(name)
    return value if isinstance(value, str) else ""
