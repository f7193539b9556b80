"""What became of the several things that one command was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alos2.errors import Alos2Error, SomeFailed


@dataclass(frozen=True)
class Failed:
    """One target, or one product of a delivery, that came to nothing."""

    what: str
    error: Alos2Error


def raise_failures(failures: Sequence[Failed], done: int) -> None:
    """Raise what the exit code shall tell of; nothing if all went well.

    Parameters
    ----------
    failures : sequence of Failed
        What went wrong.
    done : int
        How many things went well.

    Raises
    ------
    Alos2Error
        The only failure as it is; of several with one exit code and nothing done, the first with
        the number of the others.
    SomeFailed
        Some were done and some failed, or they failed in different ways.
    """
    if not failures:
        return
    if len(failures) == 1 and not done:
        raise failures[0].error
    listed = "; ".join(f"{f.what}: {f.error.short}" for f in failures)
    if done or len({f.error.exit_code for f in failures}) > 1:
        raise SomeFailed(f"{done} done, {len(failures)} failed: {listed}")
    first = failures[0].error
    raise type(first)(f"{len(failures)} failed: {listed}", hint="")
