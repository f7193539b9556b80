"""Several files appear in a folder together, or none does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from alos2.raster.files import make_folder, refusal
from alos2.raster.leftovers import hidden_stem, remove_leftovers

_NAME: Final = "making"


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Give a hidden folder in `out`; what is in it at the end is moved into `out`.

    After an exception it is thrown away, and `out` too if it was made here.

    Raises
    ------
    NoSpace, NoResource
        The system refuses.
    """
    fresh = not out.exists()
    folder = out / hidden_stem(out / _NAME)
    try:
        make_folder(folder)
        remove_leftovers(out / _NAME)
        yield folder
        try:
            for path in sorted(folder.iterdir()):
                path.replace(out / path.name)
        except OSError as error:
            raise refusal(out, error) from error
    except BaseException:
        if fresh:
            shutil.rmtree(out, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
