"""``alos2 doctor``: is all there that ingest needs, and if not, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alos2.cli.output import json_line
from alos2.errors import UsageError

if TYPE_CHECKING:
    from alos2.cli.settings import Settings
    from alos2.sources.doctor import Check, Room


@click.command("doctor")
@click.option(
    "--source", "sources", multiple=True, metavar="NAME|URL",
    help="Only this: a portal, a URL, or a room of the report; may be given again. "
    "--source list names them.",
)  # fmt: skip
@click.option("--profile", help="Which site of a portal, as for ingest.")
@click.option(
    "--credential", metavar="NAME", help="Name of the credential profile (never a password)."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a check, a line each.")
@click.pass_context
def command(
    ctx: click.Context,
    *,
    sources: tuple[str, ...],
    profile: str | None,
    credential: str | None,
    as_json: bool,
) -> None:
    """Check this computer, the accounts, and the portals that there are accounts for.

    One line a check: ok, FAIL with the remedy, or -- for what does not apply. A portal is logged in
    to once, never twice; without --source only where an account is found. Exit code 0 if nothing
    fails, else that of the most serious failure: 4 login, 5 network, 9 disk, 2 settings.
    """
    # Imported late, so that --help is quick.
    from alos2.sources.doctor import exit_code_of, run_room

    rooms = _all_rooms(profile, credential)
    if "list" in sources:
        for name in rooms:
            click.echo(name)
        return
    seen: list[Check] = []
    chosen = _chosen(rooms, sources, profile, credential) if sources else _local(rooms)
    for name, room in chosen:
        for check in run_room(name, room):
            seen.append(check)
            if as_json:
                json_line(check.to_json())
            else:
                click.echo(check.line())
    ctx.exit(exit_code_of(seen))


def _all_rooms(profile: str | None, credential: str | None) -> dict[str, Room]:
    """Return every room: this computer first, then other floors', then the portals."""
    from alos2.jobs.doctor import register_rooms
    from alos2.sources.doctor import rooms
    from alos2.sources.doctorhosts import proxies
    from alos2.sources.doctorlocal import credential_checks, package_checks
    from alos2.sources.portals.registry import names

    register_rooms()
    found: dict[str, Room] = {
        "settings": _settings_checks,
        "disk": _disk_checks,
        "credentials": credential_checks,
        "packages": package_checks,
        "proxies": proxies,
        **rooms(),
    }
    for name in names():
        found[name] = partial(_portal_checks, name, profile, credential)
    return found


def _chosen(
    rooms: dict[str, Room], sources: tuple[str, ...], profile: str | None, credential: str | None
) -> Iterator[tuple[str, Room]]:
    from alos2.sources.doctorurls import url_checks
    from alos2.sources.portals.registry import names

    for source in sources:
        if source not in rooms and "://" not in source:
            known = ", ".join(rooms)
            raise UsageError(f"there is no source {source!r}", hint=f"a URL, or one of {known}")
    if profile is not None and not set(sources) & set(names()):
        raise UsageError("--profile is of a portal", hint="name the portal with --source")
    for source in sources:
        if source in rooms:
            yield source, rooms[source]
        else:
            yield _host_of(source), partial(url_checks, source, credential=credential)


def _host_of(url: str) -> str:
    from alos2.dataset.provenance import public_url

    return public_url(url).partition("://")[2].partition("/")[0]


def _local(rooms: dict[str, Room]) -> Iterator[tuple[str, Room]]:
    """Yield the rooms; portals for which there is no account are not asked."""
    from alos2.sources.portals.registry import names

    portals = names()
    for name, room in rooms.items():
        yield name, partial(_if_account, name, room) if name in portals else room


def _if_account(name: str, room: Room) -> Iterator[Check]:
    from alos2.cli.settings import portal_profile
    from alos2.sources.doctor import Check
    from alos2.sources.doctorportals import has_account

    if has_account(name, portal_profile(_settings(), name, None)):
        yield from room()
    else:
        yield Check(name, None, "no account is found, so it is not asked")


def _portal_checks(name: str, profile: str | None, credential: str | None) -> Iterator[Check]:
    from alos2.cli.settings import portal_profile
    from alos2.sources.doctorportals import portal_checks

    site = portal_profile(_settings(), name, profile)
    yield from portal_checks(name, profile=site, credential=credential)


def _settings() -> Settings:
    from alos2.cli.settings import load

    return load()


def _settings_checks() -> Iterator[Check]:
    from alos2.cli.settings import config_file
    from alos2.sources.doctor import Check

    _settings()
    file = config_file()
    there = file is not None and file.is_file()
    said = f"{file} is read" if there else f"there is no {file or 'configuration file'}"
    yield Check("settings", True if there else None, said)


def _disk_checks() -> Iterator[Check]:
    from alos2.dataset.cachefolder import cache_dir
    from alos2.sources.doctorlocal import disk_checks

    try:
        settings = _settings()
    except UsageError:  # told by the settings' own room
        yield from disk_checks(Path.cwd(), cache_dir())
        return
    yield from disk_checks(settings.archive or Path.cwd(), settings.cache or cache_dir())
