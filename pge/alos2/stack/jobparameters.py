"""A stack's configuration from a job's parameters: a file or its text, and what stands beside."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from alos2.errors import NothingFound, UsageError
from alos2.stack.config.model import StackConfig
from alos2.stack.config.read import config_of, load_config
from alos2.types import Json

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

_PARAMETERS: Final = "the job's parameters"
_BOX: Final = re.compile(r"\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s*")


def config_from(given: Mapping[str, str | None], work_dir: Path) -> StackConfig:
    """Return the configuration that a job's parameters mean.

    Parameters
    ----------
    given : mapping of str to str
        ``config`` (name of a file, or its text in TOML), ``area``, ``archive``, ``path``,
        ``frame``, ``date``, ``dem``; what is not given is empty or None, and what is given beside
        a configuration wins over it.
    work_dir : Path
        Where it is made, whatever a configuration says.

    Raises
    ------
    UsageError, NothingFound
        It asks for what cannot be.
    """
    document, source, folder = _document((given.get("config") or "").strip())
    stack, search = _table(document, "stack"), _table(document, "search")
    stack["work_dir"] = str(work_dir)
    if area := given.get("area"):
        box = _BOX.fullmatch(area)
        stack["area"] = [float(side) for side in box.groups()] if box else area
    if archive := given.get("archive"):
        stack["archive"] = str(Path(archive).absolute())
    if paths := given.get("path"):
        search["path"] = [_number(word) for word in _words(paths)]
    if frames := given.get("frame"):
        search["frame"] = _words(frames)
    if date := given.get("date"):
        search["date"] = date
    if dem := given.get("dem"):
        _table(_table(document, "single_ARD"), "dem")["path"] = str(Path(dem).absolute())
    return config_of(document, source, folder)


def _document(config: str) -> tuple[Json, str, Path]:
    """Return a configuration as it stands, what to call it, and where its paths begin."""
    if not config:
        return {}, _PARAMETERS, Path.cwd()
    if "\n" not in config and "=" not in config:
        path = Path(config)
        if path.suffix != ".toml":
            # Read and checked as the command does; then it is plain values again.
            return load_config(path).to_json(), str(path), path.absolute().parent
        try:
            config = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise NothingFound(
                f"configuration {path} cannot be read: {error}",
                hint="give a file that the worker sees, or its text",
            ) from error
        return _parsed(config, str(path)), str(path), path.absolute().parent
    return _parsed(config, _PARAMETERS), _PARAMETERS, Path.cwd()


def _parsed(text: str, source: str) -> Json:
    try:
        document: Json = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{source}: the configuration is not TOML: {error}",
            hint="alos2 stack init writes one",
        ) from error
    return document


def _table(document: Json, name: str) -> Json:
    table: Any = document.setdefault(name, {})
    if not isinstance(table, dict):
        raise UsageError(f"{name} is no table of the configuration", hint=f"write [{name}]")
    found: Json = table
    return found


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _number(word: str) -> int:
    if not word.isdecimal():
        raise UsageError(f"path {word!r} is no number", hint="JAXA's paths are 1 to 207")
    return int(word)
