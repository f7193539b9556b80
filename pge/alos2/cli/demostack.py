"""``alos2 demo --stack``: a flood, from simulated deliveries to a stack in an archive."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alos2.cli.output import human_size, json_line
from alos2.errors import UsageError

if TYPE_CHECKING:
    from alos2.jobs.options import IngestOptions

_CONFIG = "flood.toml"
_SETTINGS = (
    "single_ARD.dem.heights=ellipsoid",
    # Two of seven dates see the flood: to the search for outliers they are some.
    "time-scan_ARD.remove_outliers=false",
    'time-scan_ARD.metrics=["avg", "min", "max", "std", "cov", "count"]',
    "mosaic.date_window_days=7",
    "animation.max_px=640",
    "animation.before=2020-07-13",
    "animation.after=2020-07-27",
)


def play(folder: Path, size: int | None, *, as_json: bool) -> None:
    """Simulate the dates of a flood, ingest them, and make their stack.

    Parameters
    ----------
    folder : Path
        Takes ``deliveries``, ``archive``, ``stack``, the relief and the configuration.
    size : int, optional
        Lines and pixels of each scene.
    as_json : bool
        Print what `ingest` and `stack run` print with ``--json``, instead of a story.

    Raises
    ------
    Alos2Error
        A step failed.
    """
    began = time.monotonic()
    told = click.echo if not as_json else _to_stderr
    deliveries, dem = _deliver(folder, size)
    archive = folder / "archive"
    told(f"\n$ alos2 ingest {folder / 'deliveries'}/*.zip --out {archive}")
    new, known = 0, 0
    for line in _ingest(deliveries, archive):
        new, known = new + (line["status"] != "unchanged"), known + (line["status"] == "unchanged")
        if as_json:
            json_line(line)
    told(f"{new} new datasets, {known} unchanged")
    config = folder / _CONFIG
    for words in _commands(folder, config, archive, dem):
        told(f"\n$ alos2 stack {_typed(words)}")
        if not as_json:
            _command(words)
        elif words[0] == "run":
            _command([*words, "--json"])
        else:
            with redirect_stdout(sys.stderr):
                _command(words)
    if not as_json:
        _what_is_there(folder, archive, time.monotonic() - began)


def _commands(folder: Path, config: Path, archive: Path, dem: Path) -> Iterator[list[str]]:
    """Yield the words that a user would type after ``alos2 stack``."""
    init = ["init", str(config), "--force", "--archive", str(archive)]
    init += ["--work-dir", str(folder / "stack"), "--dem", str(dem), "--resolution", "12.5"]
    for setting in _SETTINGS:
        init += ["--set", setting]
    yield init
    yield ["plan", str(config)]
    yield ["run", str(config), "--out", str(archive)]


def _typed(words: Sequence[str]) -> str:
    """Return words as a shell takes them, the settings a line each."""
    quoted = (f"'{word}'" if any(c in word for c in " \"'[]") else word for word in words)
    return " ".join(quoted).replace(" --set", " \\\n    --set")


def _command(words: Sequence[str]) -> None:
    from alos2.cli.stack import command

    command.main(args=list(words), prog_name="alos2 stack", standalone_mode=False)


def _deliver(folder: Path, size: int | None) -> tuple[list[Path], Path]:
    """Return the deliveries and the relief; made unless they are there, of the same size."""
    from alos2.simulate.floodplain import SIZE, flood
    from alos2.simulate.stack import TRUTH_NAME, simulate_stack

    place, dem = folder / "deliveries", folder / "dem.tif"
    made = flood(dem, size=size or SIZE)
    if not (place / TRUTH_NAME).exists():
        if place.exists() and any(not path.name.startswith(".") for path in place.iterdir()):
            raise UsageError(f"{folder} has deliveries of another demo", hint="name a new folder")
        shutil.rmtree(place, ignore_errors=True)
        count = len(made.stack.scenes())
        _to_stderr(f"simulating {count} scenes of a river plain: before, during, after a flood ...")
        result = simulate_stack(made.stack, place)
        for scene in result.scenes:
            # They are in the zip as AUIG2 delivers it.
            shutil.rmtree(scene.product_dir)
    truth = json.loads((place / TRUTH_NAME).read_text(encoding="utf-8"))
    if truth["spec"]["pixels"] != made.stack.scene.pixels:
        raise UsageError(
            f"{place} has scenes of {truth['spec']['pixels']} pixels", hint="name a new folder"
        )
    return sorted(place.glob("*.zip")), dem


def _ingest(deliveries: Sequence[Path], archive: Path) -> Iterator[Any]:
    from alos2.jobs.ingest import ingest_all
    from alos2.jobs.outcome import Failed, raise_failures

    failures, lines = [], 0
    for outcome in ingest_all([str(path) for path in deliveries], _options(archive)):
        if isinstance(outcome, Failed):
            failures.append(outcome)
        else:
            lines += 1
            yield outcome.line
    raise_failures(failures, lines)


def _options(archive: Path) -> IngestOptions:
    from alos2.footprint import FootprintOptions
    from alos2.jobs.options import IngestOptions
    from alos2.raster.pictures import PictureOptions

    return IngestOptions(
        out=archive,
        footprint_options=FootprintOptions(sarcat=False),
        pictures=PictureOptions(composite=False),
        catalogue=True,
    )


def _what_is_there(folder: Path, archive: Path, seconds: float) -> None:
    # The archive has the stack's files as links: they take no room of their own.
    files = (path.stat() for path in folder.rglob("*") if path.is_file())
    size = human_size(sum({(one.st_dev, one.st_ino): one.st_size for one in files}.values()))
    stack = folder / "stack"
    track = next(path.name for path in sorted(stack.iterdir()) if path.name.startswith("P"))
    click.echo(f"\nMade in {seconds:.0f} s, {size}:")
    for what, where in (
        ("the plan", stack / "plan.png"),
        ("the dates of a track", stack / track / "Timeseries"),
        ("its metrics", stack / track / "Timescan"),
        ("its animation", stack / track / "Animation" / f"{track}.gif"),
        ("both tracks as one", stack / "Mosaic"),
        ("what is true of the ground", folder / "deliveries" / "stack.truth.json"),
        ("the archive, scenes and stacks", archive),
    ):
        click.echo(f"  {what:<32}{where}")
    click.echo(f"\nLook at it:  alos2 serve --archive {archive} --open")


def _to_stderr(text: str) -> None:
    click.echo(text, err=True)
