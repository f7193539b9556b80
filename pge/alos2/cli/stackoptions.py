"""Options that say which scenes a stack is made of, and how: flags for a configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from alos2.cli.grouped import GroupedOption
from alos2.errors import UsageError
from alos2.types import POLARIZATIONS, Json

_Command = TypeVar("_Command", bound=Callable[..., Any])
_WHERE: Final = "Which scenes"
_HOW: Final = "How"
_PASSES: Final = {"A": "A", "ASCENDING": "A", "ASC": "A", "D": "D", "DESCENDING": "D", "DSC": "D"}
_LOOKS: Final = {"L": "L", "LEFT": "L", "R": "R", "RIGHT": "R"}
_KEY: Final = re.compile(r"[\w-]+(\.[\w-]+)+")


def choice_options(function: _Command) -> _Command:
    """Add the options of ``alos2 stack init`` and ``plan``; `changes_of` reads them."""

    def option(heading: str, *names: str, **settings: Any) -> Callable[[_Command], _Command]:
        return click.option(*names, cls=GroupedOption, heading=heading, **settings)

    folder = click.Path(path_type=Path, file_okay=False)
    options = [
        option(_WHERE, "--archive", type=folder, help="Archive whose catalogue is searched."),
        option(
            _WHERE, "--folder", "folders", multiple=True, type=click.Path(path_type=Path),
            help="Folder or zip in which products are looked for; may be repeated.",
        ),
        option(_WHERE, "--area", metavar="WKT|GEOJSON|FILE", help="Area of interest."),
        option(
            _WHERE, "--bbox", metavar="W S E N",
            help="The same as a box in degrees; west > east crosses the antimeridian.",
        ),
        option(
            _WHERE, "--date", metavar="A/B",
            help="A day (2018-09-05), or two with a slash; A/.. and ../B are open.",
        ),
        option(_WHERE, "--mode", help="Mode as in product names (FBD), or its first letters (FB)."),
        option(
            _WHERE, "--pol", multiple=True, type=click.Choice(POLARIZATIONS, case_sensitive=False),
            help="Polarisation; all that are given are there.",
        ),
        option(
            _WHERE, "--pass", "pass_", type=click.Choice(list(_PASSES), case_sensitive=False),
            metavar="A|D", help="Ascending or descending.",
        ),
        option(
            _WHERE, "--look", type=click.Choice(list(_LOOKS), case_sensitive=False), metavar="L|R",
            help="Look side.",
        ),
        option(
            _WHERE, "--path", multiple=True, type=click.IntRange(1, 207), metavar="PATH",
            help="JAXA's path (track).",
        ),
        option(_WHERE, "--frame", multiple=True, help="Centre frame, e.g. 0700."),
        option(_WHERE, "--orbit", multiple=True, type=int, help="Absolute orbit."),
        option(_WHERE, "--off-nadir", metavar="A-B", help="Off-nadir angle, degrees: 28-34."),
        option(_WHERE, "--text", help="Words or beginnings of words (archive only)."),
        option(_WHERE, "--tag", multiple=True, help="A tag (archive only)."),
        option(
            _WHERE, "--level", "levels", multiple=True, metavar="LEVEL",
            help="2.1, or 2.1-geotiff: which delivery of a scene is taken, the first wish first; "
            "others are not used.",
        ),
        option(_HOW, "--work-dir", type=folder, help="Folder of the results [default: stack]."),
        option(_HOW, "--dem", type=click.Path(path_type=Path), help="Digital elevation model."),
        option(_HOW, "--resolution", type=float, metavar="M", help="Pixel spacing of the results."),
        option(
            _HOW, "--set", "settings", multiple=True, metavar="SECTION.KEY=VALUE",
            help="Any parameter: --set time-series_ARD.dtype_output=uint8.",
        ),
    ]  # fmt: skip
    for one in reversed(options):
        function = one(function)
    return function


def changes_of(chosen: Mapping[str, Any]) -> Json:
    """Return what the options say as sections of a configuration.

    Raises
    ------
    UsageError
        One of them cannot be read.
    """
    from alos2.stack.config.read import merged

    search = {
        "date": chosen["date"],
        "mode": chosen["mode"],
        "pol": [pol.upper() for pol in chosen["pol"]],
        "pass": _PASSES.get((chosen["pass_"] or "").upper()),
        "look": _LOOKS.get((chosen["look"] or "").upper()),
        "path": list(chosen["path"]),
        "frame": list(chosen["frame"]),
        "orbit": list(chosen["orbit"]),
        "off_nadir": _angles(chosen["off_nadir"]),
        "text": chosen["text"],
        "tag": list(chosen["tag"]),
    }
    stack = {
        "archive": _absolute(chosen["archive"]),
        "folders": [_absolute(folder) for folder in chosen["folders"]],
        "area": _area(chosen["area"], chosen["bbox"]),
        "levels": list(chosen["levels"]),
        "work_dir": _absolute(chosen["work_dir"]),
    }
    ard: Json = {"resolution": chosen["resolution"]}
    if chosen["dem"] is not None:
        ard["dem"] = {"path": _absolute(chosen["dem"])}
    changes: Json = {}
    for name, section in (("stack", stack), ("search", search), ("single_ARD", ard)):
        said = {key: value for key, value in section.items() if value not in (None, [])}
        if said:
            changes[name] = said
    for setting in chosen["settings"]:
        changes = merged(changes, _setting(setting))
    return changes


def with_archive(said: Json, changes: Json) -> Json:
    """Return `changes` with the archive of the environment, where nothing names a place.

    That is ``$ALOS2_ARCHIVE``, or this folder if it has a catalogue.
    """
    from alos2.catalogue.embedded.folders import CATALOGUE_FOLDER
    from alos2.cli.settings import load
    from alos2.stack.config.read import merged

    stack = said.get("stack")
    if isinstance(stack, dict) and (stack.get("archive") or stack.get("folders")):
        return changes
    archive = load().archive
    if archive is None and (Path.cwd() / CATALOGUE_FOLDER).is_dir():
        archive = Path.cwd()
    if archive is None:
        return changes
    both: Json = merged(changes, {"stack": {"archive": _absolute(archive)}})
    return both


def _area(area: str | None, bbox: str | None) -> str | list[float] | None:
    from alos2.cli.searchoptions import box_of

    if area is not None and bbox is not None:
        raise UsageError("--area and --bbox are two places", hint="give one of them")
    box = box_of(bbox)
    if box is not None:
        return [float(value) for value in box]
    if area is not None and Path(area).is_file():
        return str(Path(area).absolute())
    return area


def _angles(text: str | None) -> list[float] | None:
    if text is None:
        return None
    first, _, last = text.replace("..", "-").partition("-")
    try:
        low, high = float(first), float(last or first)
    except ValueError:
        raise UsageError(f"{text!r} is no range of angles", hint="degrees, as 28-34") from None
    # One angle means a beam: documents say 28.2 or 28.4 of the same.
    return [low, high] if last else [low - 0.5, high + 0.5]


def _setting(text: str) -> Json:
    """Return ``section.key=value`` as a document; the value is read as TOML, else it is text."""
    from alos2.stack.config.read import toml_of

    key, equals, value = text.partition("=")
    if not equals or not _KEY.fullmatch(key.strip()):
        raise UsageError(
            f"--set {text!r} is no setting", hint="SECTION.KEY=VALUE: single_ARD.resolution=50"
        )
    document: Any = toml_of(value.strip())
    for name in reversed(key.strip().split(".")):
        document = {name: document}
    made: Json = document
    return made


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.expanduser().absolute())
