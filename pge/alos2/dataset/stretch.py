"""Grey levels of another dataset, so that all scenes of a stack look alike."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from alos2.dataset.documents import MET_SUFFIX
from alos2.errors import UsageError

_HINT: Final = 'give a dataset\'s folder, its met.json, or JSON like {"HH": [-25, 0]}'


def read_stretch(path: Path) -> Mapping[str, tuple[float, float]]:
    """Read stretch limits, dB, by polarisation and ``ratio``.

    Parameters
    ----------
    path : Path
        A dataset's folder, its met.json (key ``stretch_db``), or a JSON object of pairs.

    Raises
    ------
    UsageError
        It cannot be read, or holds no limits.
    """
    file = path / f"{path.resolve().name}{MET_SUFFIX}" if path.is_dir() else path
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}", hint=_HINT) from error
    if isinstance(content, dict):
        content = content.get("stretch_db", content)
    if not isinstance(content, dict) or not content:
        raise UsageError(f"{file} holds no stretch limits", hint=_HINT)
    return {name: _pair(file, name, value) for name, value in content.items()}


def _pair(file: Path, name: str, value: Any) -> tuple[float, float]:
    if isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)):
        return float(value[0]), float(value[1])
    raise UsageError(f"{file}: {name} is not a pair of limits in dB", hint=_HINT)


def _is_number(value: Any) -> bool:
    is_real = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_real and math.isfinite(value)
