"""``alos2 demo``: two simulated deliveries, served on loopback and ingested by URL."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from alos2.cli.output import human_size, json_line, product_block
from alos2.errors import UsageError
from alos2.types import Json

MARK = ".alos2-demo"
"""A file that says that a folder was made by the demo and may be made again."""


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
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="demo")
@click.option("--size", default=1200, show_default=True, help="Lines and pixels of the scenes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a dataset, a line each.")
def command(folder: Path, *, size: int, as_json: bool) -> None:
    """Simulate an L2.1 GeoTIFF and an L1.1 CEOS delivery, serve both on loopback, ingest by URL.

    Everything lies in FOLDER: the deliveries with what is true of them, and the datasets.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise UsageError(
            f"{folder} is not empty and was not made by the demo", hint="name a new folder"
        )
    deliveries, archive = folder / "deliveries", folder / "archive"
    deliveries.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()
    archives = _simulate(deliveries, size)
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


def _simulate(deliveries: Path, size: int) -> list[Path]:
    from alos2.simulate import SimulationSpec, simulate

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


def _ingest(urls: list[str], archive: Path) -> Iterator[Json]:
    from alos2.footprint import FootprintOptions
    from alos2.jobs.ingest import ingest_all
    from alos2.jobs.options import IngestOptions
    from alos2.jobs.outcome import Failed, raise_failures

    options = IngestOptions(out=archive, footprint_options=FootprintOptions(sarcat=False))
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
