"""``alos2 scan-chunk``: what a batch job of a scan runs; not for people."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("scan-chunk", hidden=True)
@click.argument("folder", type=click.Path(path_type=Path))
def command(folder: Path) -> int:
    """Do what the chunk in FOLDER says."""
    # Imported late, so that --help is quick.
    from alos2.scan.worker import run_chunk

    return run_chunk(folder)
