"""The whole server of an archive: catalogue, STAC API, files, tiles, page and jobs."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.web import page
from alos2.web.app import create_app
from alos2.web.jobs import JobBoard, lifespan, routes
from alos2.web.options import ServeOptions


def prepare(archive: Path) -> None:
    """Make the catalogue of an archive if there is none, from the datasets that are there.

    Raises
    ------
    NoResource, NoSpace, PublishFailed
        It cannot be made or read.
    """
    EmbeddedCatalogue.open(archive).close()


def application(archive: Path, options: ServeOptions) -> Starlette:
    """Return the application with all that belongs to it.

    Raises
    ------
    NothingFound
        There is no such folder.
    """
    board = JobBoard(archive, options)
    return create_app(
        archive, options, more=[*page.ROUTES, *routes(board)], lifespans=[lifespan(board)]
    )
