"""``alos2 demo --portals``: every portal's job against a small server that speaks its protocol."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alos2.cli.output import json_line

if TYPE_CHECKING:
    from alos2.jobs.options import IngestOptions
    from alos2.simulate.portals import Offer
    from alos2.sources.credentials import Credential
    from alos2.sources.portals.model import PortalProfile, Query


@dataclass(frozen=True)
class _Scene:
    """A portal that is there for a while, and what it is asked."""

    title: str
    portal: str
    """As the registry names it."""
    profile: PortalProfile
    credential: Credential
    acts: tuple[tuple[str, Query], ...]
    """The command that would ask it on a real portal, and the query."""


def play(offers: list[Offer], folder: Path, options: IngestOptions, *, as_json: bool) -> None:
    """Run each portal's job against its server.

    Parameters
    ----------
    offers : list of Offer
        What the portals deliver.
    folder : Path
        Takes an archive for each portal, and what the servers need.
    options : IngestOptions
        How to ingest; ``out`` is `folder`'s.
    as_json : bool
        Print one JSON object a dataset, a line each, instead of a story.

    Raises
    ------
    Alos2Error
        A job failed.
    """
    for scene_of in (_auig2, _sentinel_asia, _gportal_legacy):
        with scene_of(offers) as scene:
            _perform(scene, folder, options, as_json=as_json)
    if importlib.util.find_spec("asyncssh") is None:
        click.echo(
            "G-Portal's new site is left out: its SFTP needs asyncssh "
            "(pip install 'alos2-ingest[sftp]')",
            err=True,
        )
        return
    with _gportal_2026(offers, folder) as scene:
        _perform(scene, folder, options, as_json=as_json)


def _perform(scene: _Scene, folder: Path, options: IngestOptions, *, as_json: bool) -> None:
    from alos2.jobs.ingest import Ingested
    from alos2.jobs.portal import ingest_portal
    from alos2.jobs.portaloutcome import Tally, line_of
    from alos2.sources.portals.registry import open_portal

    options = replace(options, out=folder / scene.profile.name)
    tally = Tally()

    def say(text: str) -> None:
        click.echo(text, err=as_json)

    say(f"\n{scene.title}, simulated at {scene.profile.base_url}")
    say(f"  logging in as {scene.credential.username}, an account invented for this run")
    with open_portal(
        scene.portal,
        profile=scene.profile,
        credential=scene.credential,
        options=options.transfer,
    ) as portal:
        for command, query in scene.acts:
            say(f"  $ {command}")
            for outcome in ingest_portal(portal, query, options):
                tally.add(outcome)
                if isinstance(outcome, Ingested) and as_json:
                    json_line(outcome.line)
                else:
                    say(f"    {line_of(outcome)}")
    tally.raise_failures()
    say(f"  {tally}; the datasets lie in {options.out}")


@contextmanager
def _auig2(offers: list[Offer]) -> Iterator[_Scene]:
    from alos2.simulate.portals import Auig2Server, invented_account
    from alos2.sources.portals.model import PortalProfile, Query

    account = invented_account()
    orders = tuple(offer.order for offer in offers)
    with Auig2Server(account, offers) as server:
        yield _Scene(
            "AUIG2 (orders; a login in two steps)",
            "auig2",
            PortalProfile("auig2", server.url),
            _credential(account.username, account.password),
            ((f"alos2 ingest auig2 {' '.join(orders)}", Query(ids=orders)),),
        )


@contextmanager
def _sentinel_asia(offers: list[Offer]) -> Iterator[_Scene]:
    from alos2.simulate.portals import SentinelAsiaServer, invented_account
    from alos2.sources.portals.model import PortalProfile, Query

    account = invented_account()
    with SentinelAsiaServer(account, offers) as server:
        first = next(iter(server.files))
        yield _Scene(
            "Sentinel Asia (emergency requests; a file each, a map among them)",
            "sentinel-asia",
            PortalProfile("sentinel-asia", f"{server.url}/sentinel2"),
            _credential(account.username, account.password),
            (
                (f"alos2 ingest sentinel-asia --data-id {first}", Query(ids=(first,))),
                (
                    f"alos2 ingest sentinel-asia --eor-id {server.eor_id}",
                    Query(eor_id=server.eor_id),
                ),
            ),
        )


@contextmanager
def _gportal_legacy(offers: list[Offer]) -> Iterator[_Scene]:
    from alos2.simulate.portals import WebPortalServer, invented_account
    from alos2.sources.portals.model import PortalProfile

    account = invented_account()
    with WebPortalServer(account, offers) as server:
        yield _Scene(
            "G-Portal, the old site (search; account and password)",
            "gportal",
            PortalProfile("gportal-legacy", server.url),
            _credential(account.username, account.password),
            (_around(offers, " --profile gportal-legacy"),),
        )


@contextmanager
def _gportal_2026(offers: list[Offer], folder: Path) -> Iterator[_Scene]:
    from alos2.simulate.portals import CatalogueServer, invented_account
    from alos2.simulate.portals.gportal_sftp import SftpServer, lay_out, new_key
    from alos2.sources.credentials import Credential
    from alos2.sources.portals.model import PortalProfile

    username = invented_account().username
    key_file = folder / "gportal-2026.key"
    root = folder / "gportal-2026.served"
    public_key = new_key(key_file)
    lay_out(offers, root)
    with CatalogueServer(offers) as catalogue, SftpServer(root, username, public_key) as files:
        settings = {"sftp": files.url, "host_key": files.host_key}
        try:
            yield _Scene(
                "G-Portal, the new site (search; SFTP by key, its host key pinned)",
                "gportal",
                PortalProfile("gportal-2026", catalogue.url, settings),
                Credential(username, key_file=key_file, origin="the demo"),
                (_around(offers, ""),),
            )
        finally:
            key_file.unlink(missing_ok=True)


def _credential(username: str, password: str) -> Credential:
    from alos2.sources.credentials import Credential, Secret

    return Credential(username, Secret(password), origin="the demo")


def _around(offers: list[Offer], more: str) -> tuple[str, Query]:
    """Return a search that finds all offers, by place and time."""
    from datetime import date

    from alos2.sources.portals.model import Query

    lons = [lon for offer in offers for lon, _ in offer.ring]
    lats = [lat for offer in offers for _, lat in offer.ring]
    box = tuple(round(side, 2) for side in (
        min(lons) - 0.1, min(lats) - 0.1, max(lons) + 0.1, max(lats) + 0.1
    ))  # fmt: skip
    days = sorted(date.fromisoformat(offer.start[:10]) for offer in offers)
    words = " ".join(f"{side:g}" for side in box)
    command = f"alos2 ingest gportal{more} --bbox {words} --date {days[0]}/{days[-1]}"
    west, south, east, north = box
    return command, Query(start=days[0], end=days[-1], bbox=(west, south, east, north))
