"""The options of ``alos2 scan``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from alos2.cli.grouped import GroupedOption
from alos2.cli.ingest import FOOTPRINTS

_Command = TypeVar("_Command", bound=Callable[..., Any])

_WHAT = "What"
_HOW = "Jobs"
_DESCRIBE = "Datasets"
_INSTEAD = "Instead of scanning"
_RESULT = "Result"


def _option(heading: str, *names: str, **more: Any) -> Callable[[_Command], _Command]:
    return click.option(*names, cls=GroupedOption, heading=heading, **more)


_PATH = click.Path(path_type=Path)

_OPTIONS = [
    _option(
        _WHAT, "--levels", default="1.1", show_default=True, metavar="any|1.1,...",
        help="Levels of the products that are described.",
    ),
    _option(_WHAT, "--regex", metavar="R", help="Only places or files whose path has it."),
    _option(
        _WHAT, "--settle", "settle_min", type=click.FloatRange(0), default=10, show_default=True,
        metavar="MIN", help="Leave files that are younger: they may still be copied.",
    ),
    _option(_WHAT, "--retry-failed", is_flag=True, help="Also try again what has failed."),
    _option(
        _WHAT, "--forget-gone", is_flag=True,
        help="Remove the datasets of scenes whose files are gone, from the catalogues too.",
    ),
    _option(
        _DESCRIBE, "--out", type=click.Path(path_type=Path, file_okay=False),
        help="The archive: takes the datasets and the catalogue [default: $ALOS2_ARCHIVE, else "
        "here].",
    ),
    _option(
        _DESCRIBE, "--state", type=_PATH, metavar="DIR",
        help="What is known of scans [default: .alos2-scan in the archive].",
    ),
    _option(
        _DESCRIBE, "--tag", "tags", multiple=True, metavar="WORD",
        help="To find the datasets by; may be repeated.",
    ),
    _option(
        _DESCRIBE, "--footprint", type=click.Choice(FOOTPRINTS), help="As alos2 ingest has it."
    ),
    _option(
        _DESCRIBE, "--grq", metavar="URL", envvar="ALOS2_GRQ_URL", show_envvar=True,
        help="HySDS's catalogue: asked first, and told of each dataset.",
    ),
    _option(
        _DESCRIBE, "--hysds-dir", type=_PATH, metavar="DIR",
        help="File datasets by the ingest_dataset.py of this HySDS checkout.",
    ),
    _option(_DESCRIBE, "--dataset-file", type=_PATH, metavar="FILE", help="Its datasets.json."),
    _option(_DESCRIBE, "--force", is_flag=True, help="Replace datasets that have other content."),
    _option(
        _HOW, "--site", type=_PATH, metavar="FILE",
        help="How jobs are run here [default: $ALOS2_SITE, else alos2/site.toml in ~/.config].",
    ),
    _option(
        _HOW, "--scheduler", metavar="NAME",
        help="slurm, pbs, torque, gridengine, lsf, local, or here: processes of this command "
        "[default: $QSUB_SYSTEM, else the site file's, else here].",
    ),
    _option(
        _HOW, "--script", type=_PATH, metavar="FILE",
        help="A batch script of yours: its directives count, its body is what a job runs.",
    ),
    _option(
        _HOW, "--chunk", "chunk_size", type=click.IntRange(1), metavar="N",
        help="Scenes a job [default: the site's, 50].",
    ),
    _option(
        _HOW, "--jobs", type=click.IntRange(1), metavar="N",
        help="Most jobs in flight [default: the site's, 20; here: the cores].",
    ),
    _option(
        _HOW, "--wait/--no-wait", default=None,
        help="Stay until all is done, or leave when the jobs are submitted [default: leave; here: "
        "stay].",
    ),
    _option(
        _HOW, "--poll", "poll_s", type=click.FloatRange(0.05), metavar="S",
        help="How often --wait looks, seconds [default: 15].",
    ),
    _option(
        _HOW, "--patience", "patience_h", type=click.FloatRange(0), default=24, show_default=True,
        metavar="H", help="Tell of jobs that wait longer for their start.",
    ),
    _option(
        _HOW, "--second-look", "second_look_s", type=click.FloatRange(0), default=60,
        show_default=True, metavar="S", help="How long a job without a trace is looked for.",
    ),
    _option(_INSTEAD, "--dry-run", is_flag=True, help="Say what would be submitted."),
    _option(_INSTEAD, "--status", is_flag=True, help="Say how everything stands."),
    _option(_INSTEAD, "--cancel", is_flag=True, help="End all jobs in flight."),
    _option(_RESULT, "--json", "as_json", is_flag=True, help="One JSON object a line."),
]  # fmt: skip


def scan_options(function: _Command) -> _Command:
    """Add what a scan may be told."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
