"""Which job and which product the present line of work is about: for the logs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

job: ContextVar[str] = ContextVar("job", default="-")
"""Name of the job, e.g. ``ingest``."""

product: ContextVar[str] = ContextVar("product", default="-")
"""Dataset id of the product at hand, or ``-`` before it is known."""


@contextmanager
def about(variable: ContextVar[str], value: str) -> Iterator[None]:
    """Set `variable` to `value` for a while."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
