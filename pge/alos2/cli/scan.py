"""``alos2 scan``: an archive on a cluster's disks becomes a catalogue, without copying anything."""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alos2.cli.grouped import GroupedCommand
from alos2.cli.scanoptions import scan_options
from alos2.errors import NothingFound, SomeFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alos2.scan.options import ScanOptions
    from alos2.scan.report import ScanReport
    from alos2.types import Json


@click.command("scan", cls=GroupedCommand)
@click.argument("roots", nargs=-1, metavar="[DIR]...", type=click.Path(path_type=Path))
@scan_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    roots: tuple[Path, ...],
    *,
    dry_run: bool,
    status: bool,
    cancel: bool,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Describe all scenes below each DIR where they lie, and catalogue them.

    Only what is new or has changed since the last scan is handed to jobs: of the site's scheduler,
    else to processes here. Nothing in DIR is written. Without DIR nothing is walked, but what jobs
    have done is collected. Exit codes: 0 all that was asked for is there or submitted, 6 nothing
    found, 8 some scenes failed, 9 the scheduler, the disk or the state cannot be used.
    """
    if sum((dry_run, status, cancel)) > 1:
        raise UsageError("--dry-run, --status and --cancel exclude each other")
    if roots and (status or cancel):
        raise UsageError("--status and --cancel walk no DIR", hint="leave the folders out")
    options = chosen_options(roots, **chosen)
    quiet = bool((ctx.obj or {}).get("quiet"))
    tell = _json_line if as_json else _silent if quiet else _say_forgotten
    if status:
        _show_state(options, None, as_json=as_json)
        return
    _check_there(options)
    report = _run(options, tell, dry_run=dry_run, cancel=cancel, quiet=quiet)
    if dry_run:
        _say_dry(report, as_json=as_json)
    else:
        if not quiet:
            _say_run(report)
        _show_state(options, report, as_json=as_json, quiet=quiet)
    raise_for(report, dry_run=dry_run)


def _run(
    options: ScanOptions, tell: Callable[[Json], None], *, dry_run: bool, cancel: bool, quiet: bool
) -> ScanReport:
    # Imported late, so that --help is quick.
    from alos2.cli.progress import progress_bar
    from alos2.jobs import context
    from alos2.scan import dryrun, run

    shown = not quiet and sys.stderr.isatty()
    bar = progress_bar(quiet=quiet) if shown else nullcontext(options.progress)
    with context.about(context.job, "scan"), bar as progress:
        options = replace(options, progress=progress)
        if dry_run:
            return dryrun.dry_run(options, tell)
        return run.cancel(options, tell) if cancel else run.scan(options, tell)


def raise_for(report: ScanReport, *, dry_run: bool = False) -> None:
    """Raise what the exit code shall tell of; nothing if all went well.

    Raises
    ------
    NoResource
        The scheduler took no job.
    NothingFound
        There was no scene at all.
    SomeFailed
        Scenes have failed, in this run or before.
    """
    if report.refusal is not None:
        raise report.refusal
    if report.walked and not report.any_scene:
        raise NothingFound(
            "there is no ALOS-2 product in the folders that were walked",
            hint="give the folder above P###/F####",
        )
    failed = report.counts.get("failed", 0)
    if failed and not dry_run:
        raise SomeFailed(
            f"{failed} scenes have failed", hint="--status tells why; --retry-failed tries again"
        )


def chosen_options(
    roots: tuple[Path, ...],
    *,
    out: Path | None,
    site: Path | None,
    scheduler: str | None,
    levels: str,
    regex: str | None,
    settle_min: float,
    patience_h: float,
    tags: tuple[str, ...],
    grq: str | None,
    hysds_dir: Path | None,
    dataset_file: Path | None,
    footprint: str | None,
    **chosen: Any,
) -> ScanOptions:
    """Return what the flags, the environment and the configuration say."""
    # Imported late, so that --help is quick.
    from alos2.cluster.site import load_site, with_scheduler
    from alos2.scan.options import ScanOptions
    from alos2.scan.units import Wanted

    where = load_site(site)
    if scheduler:
        where = replace(where, scheduler=None) if scheduler == "here" else (
            with_scheduler(where, scheduler)
        )  # fmt: skip
    archive = out or _archive()

    def job_options() -> Json:
        return {
            "tags": list(tags),
            "footprint": footprint,
            "footprint_options": _footprint_options(),
            "grq": _grq(grq, os.environ),
            "hysds_dir": str(hysds_dir.absolute()) if hysds_dir else None,
            "dataset_file": str(dataset_file.absolute()) if dataset_file else None,
        }

    return ScanOptions(
        roots=tuple(_plain(root) for root in roots),
        out=_plain(archive),
        wanted=Wanted([word for word in levels.replace(",", " ").split() if word], regex),
        settle_s=60 * settle_min,
        patience_s=3600 * patience_h,
        site=where,
        job_options=cache(job_options),
        **chosen,
    )


def _plain(folder: Path) -> Path:
    """Return the absolute path; links stay as the user wrote them, where no ``..`` follows."""
    return folder.resolve() if ".." in folder.parts else folder.absolute()


def _archive() -> Path:
    named = os.environ.get("ALOS2_ARCHIVE")
    if named:
        return Path(named)
    from alos2.cli.settings import load

    return load().archive or Path.cwd()


def _footprint_options() -> Json:
    """Return how footprints are looked for, as this machine has it set: nodes may know nothing."""
    from alos2.cli.settings import load

    settings = load()
    return {
        "sarcat": settings.sarcat,
        "sarcat_url": settings.sarcat_url,
        "min_overlap": settings.min_overlap,
        "cache_dir": str(settings.cache) if settings.cache else None,
    }


def _grq(url: str | None, environ: Mapping[str, str]) -> Json | None:
    if not url:
        return None
    return {
        "url": url,
        "ca": environ.get("ALOS2_GRQ_CA") or None,
        "fingerprint": environ.get("ALOS2_GRQ_FINGERPRINT") or None,
    }


def _check_there(options: ScanOptions) -> None:
    """Refuse a command that means nothing: no folder, and no earlier scan to go on with."""
    from alos2.scan.state import NAME

    if not options.roots and not (options.folder / NAME).exists():
        raise UsageError(
            f"no folder to scan is named, and {options.out} was never scanned into",
            hint="alos2 scan DIR --out ARCHIVE",
        )


def _json_line(line: Json) -> None:
    """Print one object on one line; paths that are no UTF-8 as JSON's own escapes."""
    click.echo(json.dumps(line, allow_nan=False))


def _readable(text: str) -> str:
    """Return text with bytes that are no UTF-8 made visible."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _say_forgotten(line: Json) -> None:
    """Say what is removed, and nothing of all else."""
    if line["kind"] in ("forgotten", "would forget", "not forgotten"):
        why = line.get("sentence") or f"its files are no longer in {line['place']}"
        _say(f"{line['kind']}: {line['dataset_id']}: {why}")


def _silent(line: Json) -> None:
    """Tell nobody."""


def _say(text: str) -> None:
    click.echo(_readable(text), err=True)


def _say_run(report: ScanReport) -> None:
    if report.walked:
        _say(
            f"walked {report.folders} folders, {report.files} files in {report.walk_s:.1f} s: "
            f"{report.found} scenes are new, changed or gone"
        )
    if report.young_zips:
        _say(f"{report.young_zips} zips are too young: they may still be copied; scan again later")
    if report.missing:
        _say(f"{report.missing} datasets were removed or damaged: they are to be made again")
    if report.retried:
        _say(f"{report.retried} failed scenes are tried again")
    if report.submitted:
        _say(f"submitted: {report.jobs} jobs with {report.submitted} scenes")
    if report.done or report.failed:
        _say(f"collected: {report.done} scenes done, {report.failed} failed")
    if report.left:
        _say(f"left for the next run: {report.left} scenes (--wait goes on as jobs end)")
    for sentence in report.silent.values():
        _say(sentence)


def _say_dry(report: ScanReport, *, as_json: bool) -> None:
    if as_json:
        _json_line({**report.to_json(), "dry_run": True})
    _say(
        f"would submit {report.submitted} scenes in {report.jobs} jobs "
        f"({report.in_flight} are in flight); nothing was changed"
    )


def _show_state(
    options: ScanOptions, report: ScanReport | None, *, as_json: bool, quiet: bool = False
) -> None:
    from alos2.scan import telling
    from alos2.scan.report import flights
    from alos2.scan.state import reading
    from alos2.scan.submit import Jobs

    with reading(options.folder) as state:
        flying = flights(state, Jobs(options))
        if as_json:
            for line in telling.json_lines(state, flying, report):
                _json_line(line)
        if not quiet and not (as_json and report is None):
            for text in telling.lines_of(state, report, flying, patience_s=options.patience_s):
                click.echo(_readable(text), err=report is not None)
