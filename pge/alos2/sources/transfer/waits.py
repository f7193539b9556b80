"""How often and when to try again: full jitter, the server's own wish, a budget by progress.

Full jitter (a wait drawn evenly between nothing and a bound that doubles) keeps many clients that
were cut off together from coming back together (Brooker, "Exponential Backoff And Jitter", AWS
Architecture Blog, 2015). The budget counts tries that brought nothing: a link that breaks every
hundred megabytes still brings a large file home.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from alos2.errors import TransferFailed
from alos2.sources.model import Cancelled, TransferOptions, stop_if
from alos2.sources.remote import Passing

_SLICE_S = 0.2


class Budget:
    """The tries of one transfer.

    Parameters
    ----------
    options : TransferOptions
        ``retries``, ``backoff_s``, ``backoff_max_s``, ``retry_after_max_s``, ``renew_bytes``.
    where : str
        Who is spoken to, for messages.
    draw : callable
        Draws evenly between two numbers; for tests.
    """

    def __init__(
        self,
        options: TransferOptions,
        where: str,
        *,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._options = options
        self._where = where
        self._draw = draw
        self._spent = 0
        self._best = 0

    def progress(self, there: int) -> None:
        """Tell how many bytes are there; the budget is whole again where that is a new record."""
        if there >= self._best + self._options.renew_bytes:
            self._best = there
            self._spent = 0

    def spend(self, fault: Passing) -> float:
        """Take one try from the budget.

        Returns
        -------
        float
            Seconds to wait before it.

        Raises
        ------
        TransferFailed
            The budget is used up, or the server asks for a longer wait than we have patience for.
        """
        asked = fault.after_s
        if asked is not None and asked > self._options.retry_after_max_s:
            raise TransferFailed(
                f"{self._where}: {fault}, and asks to come back in {asked:.0f} s",
                hint="run the same command again then",
            )
        if self._spent >= self._options.retries:
            tries = self._options.retries + 1
            raise TransferFailed(f"{self._where}: {fault}, {tries} times in a row")
        bound = min(self._options.backoff_max_s, self._options.backoff_s * 2.0**self._spent)
        self._spent += 1
        drawn = self._draw(0.0, bound)
        # Whoever was told the same moment must not come back in the same moment.
        return drawn if asked is None else asked + min(drawn, self._options.backoff_s)


def pause(seconds: float, cancel: Cancelled | None) -> None:
    """Wait; `cancel` ends it.

    Raises
    ------
    Interrupted
        `cancel` said so.
    """
    until = time.monotonic() + seconds
    stop_if(cancel)
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _SLICE_S))
        stop_if(cancel)
