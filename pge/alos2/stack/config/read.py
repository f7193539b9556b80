"""A configuration file is read: TOML or YAML, strictly, and every fault of it is told at once.

Each fault names the file, the key, the value and what is allowed there; a key that is not known is
told with the nearest one that is, a name of OpenSarToolkit with the one that took its place.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from alos2.catalogue.embedded.areas import area_of_box, place_of
from alos2.errors import UsageError
from alos2.stack.config.faults import faults_of, refused
from alos2.stack.config.model import StackConfig
from alos2.types import Json

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

MAX_BYTES: Final = 1_000_000
SUFFIXES: Final = (".toml", ".yaml", ".yml")


def load_config(path: Path, changes: Json | None = None) -> StackConfig:
    """Read a configuration file.

    Parameters
    ----------
    path : Path
        ``.toml``, ``.yaml`` or ``.yml``. Paths within it that are relative begin at its folder.
    changes : Json, optional
        Sections with what goes before the file's values; paths in it are absolute.

    Raises
    ------
    UsageError
        It is not there, cannot be read, or says what cannot be; all that is wrong is told.
    """
    document = merged(parsed(path), changes or {})
    return config_of(document, str(path), path.absolute().parent).read_from(path.absolute())


def merged(document: Any, changes: Any) -> Any:
    """Return a document with the values of another one in place of its own."""
    if not (isinstance(document, dict) and isinstance(changes, dict)):
        return changes
    both = {name: merged(document[name], new) for name, new in changes.items() if name in document}
    return {**document, **changes, **both}


def checked(document: Json, source: str) -> StackConfig:
    """Check a document, and leave its paths as they are; raises UsageError as `config_of`."""
    try:
        return StackConfig.model_validate(document)
    except ValidationError as error:
        raise refused(source, faults_of(error, document)) from None


def config_of(document: Json, source: str, folder: Path) -> StackConfig:
    """Check a document.

    Parameters
    ----------
    document : Json
        As a file has it.
    source : str
        Its name, for messages.
    folder : Path
        Where relative paths begin.

    Raises
    ------
    UsageError
        It says what cannot be.
    """
    config = _absolute(checked(document, source), folder)
    try:
        area_of(config)
    except UsageError as error:
        raise refused(source, [f"[stack] area: {error.message}"]) from None
    return config


def area_of(config: StackConfig) -> Json | None:
    """Return the area of interest as GeoJSON, cut at the antimeridian; None: there is none.

    Raises
    ------
    UsageError
        It is no place.
    """
    area = config.stack.area
    if area is None:
        return None
    if isinstance(area, str):
        return place_of(area)
    import shapely  # noqa: PLC0415  costs 0.1 s where it is not needed

    box: Json = json.loads(shapely.to_geojson(area_of_box(area).geometry))
    return box


def parsed(path: Path) -> Json:
    """Return what a file holds, not yet checked; raises UsageError if it cannot be read."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"{path} is no configuration by its name",
            hint=f"its name ends with {', '.join(SUFFIXES)}",
        )
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(
            f"there is no configuration {path}", hint="alos2 stack init writes one"
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path} is too large for a configuration: more than {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
        is_toml = path.suffix.lower() == ".toml"
        document = tomllib.loads(text) if is_toml else yaml.load(text, _Strict)  # noqa: S506  safe
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        kind = "TOML" if path.suffix.lower() == ".toml" else "YAML"
        raise UsageError(f"{path} is not {kind}: {' '.join(str(error).split())}") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise UsageError(f"{path} holds no sections: it is a {type(document).__name__}")
    return document


def toml_of(text: str) -> Any:
    """Return one value as TOML has it; what is none is text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        return text


class _Strict(yaml.SafeLoader):  # type: ignore[misc]  # without types
    """YAML without what surprises: a key twice, and days that turn into dates."""


def _mapping(loader: _Strict, node: yaml.MappingNode) -> Json:
    seen: dict[Any, yaml.Mark] = {}
    for key, _ in node.value:
        name = loader.construct_object(key)
        if not isinstance(name, str):
            raise yaml.YAMLError(f"{key.start_mark}: {name!r} is no name")
        if name in seen:
            raise yaml.YAMLError(f"{key.start_mark}: {name!r} stands there twice")
        seen[name] = key.start_mark
    made: Json = loader.construct_mapping(node, deep=True)
    return made


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_Strict.add_constructor(
    "tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node)
)


def _absolute(config: StackConfig, folder: Path) -> StackConfig:
    """Return it with all paths absolute, from `folder` on."""

    def put(path: Path | None) -> Path | None:
        return None if path is None else Path(os.path.abspath(folder / path.expanduser()))  # noqa: PTH100  links stay

    stack, dem = config.stack, config.single_ard.dem
    heights = folder / dem.heights
    moved = stack.model_copy(
        update={
            "archive": put(stack.archive),
            "folders": tuple(put(one) for one in stack.folders),
            "leaders": {scene: put(file) for scene, file in stack.leaders.items()},
            "work_dir": put(stack.work_dir),
            "area": _area_text(stack.area, folder),
        }
    )
    dem = dem.model_copy(
        update={
            "path": put(dem.path),
            "heights": str(heights) if heights.is_file() else dem.heights,
        }
    )
    return config.model_copy(
        update={
            "stack": moved,
            "single_ard": config.single_ard.model_copy(update={"dem": dem}),
            "cluster": config.cluster.model_copy(update={"site": put(config.cluster.site)}),
        }
    )


def _area_text(area: Any, folder: Path) -> Any:
    """Return the area with the path of its file, if it is one, from `folder` on."""
    if not isinstance(area, str) or area.lstrip().startswith("{") or "(" in area:
        return area
    return str(folder / area)
