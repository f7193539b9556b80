"""``alos2 demo``: two simulated deliveries, served on loopback and ingested by URL.

With ``--portals`` by portals' jobs instead: see `alos2.cli.demoportals`. With ``--stack`` a flood
as a stack: see `alos2.cli.demostack`.
"""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alos2.cli.output import human_size, json_line, product_block
from alos2.errors import UsageError
from alos2.types import Json

if TYPE_CHECKING:
    from alos2.jobs.options import IngestOptions

MARK = ".alos2-demo"
"""A file that says that a folder was made by the demo and may be made again."""

_LARGE = 1200
_SMALL = 300
"""Lines and pixels of the scenes that portals deliver: each is ingested several times."""


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's name
        """Say nothing: the demo says what matters."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder over HTTP on loopback; gives the base URL."""
    handler = functools.partial(_Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@click.command("demo")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option(
    "--size", type=click.IntRange(min=32), help="Lines and pixels of the scenes [default: 1200]."
)
@click.option(
    "--portals",
    is_flag=True,
    help="Let small servers speak the portals' protocols, and run each portal's job.",
)
@click.option(
    "--stack",
    is_flag=True,
    help="Simulate a flood: two tracks of seven dates, as scenes and as stacks in an archive.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a dataset, a line each.")
def command(
    folder: Path | None, *, size: int | None, portals: bool, stack: bool, as_json: bool
) -> None:
    """Simulate an L2.1 GeoTIFF and an L1.1 CEOS delivery, serve both on loopback, ingest by URL.

    Everything lies in FOLDER [default: demo, with --stack demo-stack]: the deliveries with what is
    true of them, and the datasets. With --portals they come from AUIG2, Sentinel Asia and both
    sites of G-Portal, all of them simulated: no account is needed, and nothing leaves this
    computer. Scenes are small then (size 300).

    With --stack it shows what `alos2 stack` does, as docs/example-flood.md tells it: deliveries
    before, during and after a flood are ingested, and time series, metrics, mosaics and animations
    are made of them (size 520). --json then prints what `alos2 stack run --json` prints, too.
    """
    if portals and stack:
        raise UsageError("--portals and --stack are two demos", hint="ask for one of them")
    folder = folder or Path("demo-stack" if stack else "demo")
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise UsageError(
            f"{folder} is not empty and was not made by the demo", hint="name a new folder"
        )
    if stack:
        from alos2.cli.demostack import play

        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).touch()
        play(folder, size, as_json=as_json)
        return
    if portals:
        _play(folder, size or _SMALL, as_json=as_json)
        return
    deliveries, archive = folder / "deliveries", folder / "archive"
    archives = _simulate(folder, deliveries, size or _LARGE)
    with served(deliveries) as base:
        urls = [f"{base}/{path.relative_to(deliveries).as_posix()}" for path in archives]
        lines = list(_ingest(urls, archive))
    for line in lines:
        if as_json:
            json_line(line)
        else:
            product_block(line)
            _contents(Path(line["dataset_dir"]))
    if not as_json:
        click.echo(f"\nThe datasets lie in {archive}, what is true of the scenes in {deliveries}.")


def _play(folder: Path, size: int, *, as_json: bool) -> None:
    from alos2.cli.demoportals import play
    from alos2.simulate.portals import Offer

    archives = _simulate(folder, folder / f"deliveries-{size}", size)
    place = folder / "portals"
    play([Offer.read(path) for path in archives], place, _options(place), as_json=as_json)


def _simulate(folder: Path, deliveries: Path, size: int) -> list[Path]:
    from alos2.simulate import SimulationSpec, simulate

    deliveries.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()
    specs = {
        "geotiff": SimulationSpec(
            level="2.1", format="geotiff", pixels=size, lines=size, seed=1, zip="auig2"
        ),
        "slc": SimulationSpec(
            level="1.1", format="ceos", pixels=size, lines=size, seed=2, zip="auig2",
            pass_direction="D",  # noqa: S106  of the orbit
        ),
    }  # fmt: skip
    archives = []
    for name, spec in specs.items():
        where = deliveries / name
        found = sorted(where.glob("*.zip"))
        if not found:
            click.echo(f"simulating level {spec.level} {spec.format} ...", err=True)
            simulate(spec, where)
            found = sorted(where.glob("*.zip"))
        archives.extend(found)
    return archives


def _options(out: Path) -> IngestOptions:
    from alos2.footprint import FootprintOptions
    from alos2.jobs.options import IngestOptions

    return IngestOptions(out=out, footprint_options=FootprintOptions(sarcat=False), catalogue=True)


def _ingest(urls: list[str], archive: Path) -> Iterator[Json]:
    from alos2.jobs.ingest import ingest_all
    from alos2.jobs.outcome import Failed, raise_failures

    options = _options(archive)
    failures = []
    for url in urls:
        click.echo(f"ingesting {url} ...", err=True)
    for outcome in ingest_all(urls, options):
        if isinstance(outcome, Failed):
            failures.append(outcome)
        else:
            yield outcome.line
    raise_failures(failures, len(urls) - len(failures))


def _contents(dataset: Path) -> None:
    for path in sorted(dataset.iterdir()):
        if path.is_dir():
            inside = [file for file in path.rglob("*") if file.is_file()]
            size = human_size(sum(file.stat().st_size for file in inside))
            click.echo(f"    {path.name + '/':<66} {len(inside)} files, {size}")
        else:
            click.echo(f"    {path.name:<66} {human_size(path.stat().st_size)}")
