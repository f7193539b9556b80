"""The ASGI application of one archive."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from alos2.catalogue.search.model import Search, Searchable
from alos2.catalogue.search.registry import searchable
from alos2.errors import Alos2Error
from alos2.hysds.accounts import account_for
from alos2.web import files, tiles
from alos2.web.answers import HttpError, error_answer
from alos2.web.api import routes as api
from alos2.web.archive import ArchiveFiles
from alos2.web.context import Context
from alos2.web.layers import Layers
from alos2.web.options import ServeOptions
from alos2.web.readers import Readers
from alos2.web.security import Guard
from alos2.web.stac import routes as stac
from alos2.web.stacks import routes as stacks
from alos2.web.stacks.shelf import StackShelf

log = logging.getLogger(__name__)


def create_app(
    archive: Path,
    options: ServeOptions | None = None,
    *,
    more: Sequence[BaseRoute] = (),
    lifespans: Sequence[Callable[[Starlette], AbstractAsyncContextManager[None]]] = (),
    open_catalogue: Callable[[], Searchable] | None = None,
) -> Starlette:
    """Return the application that serves an archive.

    Parameters
    ----------
    archive : Path
        The folder that holds the datasets.
    options : ServeOptions, optional
    more : sequence of BaseRoute, optional
        Further routes: the page, its jobs.
    lifespans : sequence of callable, optional
        Entered when the server starts, left when it stops.
    open_catalogue : callable, optional
        Opens the catalogue that is searched, once in each thread; else the archive's own.

    Raises
    ------
    NothingFound
        There is no such folder.
    """
    chosen = options or ServeOptions()
    opened = open_catalogue or (lambda: searchable(chosen.catalogue, archive, account_for))
    seen = ArchiveFiles(archive)
    context = Context(chosen, Readers(opened, chosen.readers), seen, Layers(seen), StackShelf(seen))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            async with AsyncExitStack() as stack:
                for one in lifespans:
                    await stack.enter_async_context(one(app))
                warming = asyncio.create_task(_warm(context))
                yield
                warming.cancel()
        finally:
            context.readers.close()
            context.stacks.close()

    app = Starlette(
        routes=[*stac.ROUTES, *api.ROUTES, *tiles.ROUTES, *stacks.ROUTES, *files.ROUTES, *more],
        middleware=[Middleware(Guard, options=chosen)],
        exception_handlers={
            HttpError: _told,
            Alos2Error: _told,
            HTTPException: _told_by_starlette,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.context = context
    return app


async def _warm(context: Context) -> None:
    """Read what counts are made of before somebody asks for them."""
    try:
        await context.readers.ask(lambda catalogue: catalogue.count(Search(), ()))
    except Alos2Error as error:
        log.warning("the catalogue cannot be read yet: %s", error.short)


async def _told(request: Request, error: Exception) -> Response:
    if isinstance(error, HttpError):
        return error_answer(error)
    if not isinstance(error, Alos2Error):
        raise error
    answer = error_answer(error)
    if answer.status_code >= 500:
        log.error("%s %s: %s", request.method, request.url.path, error.short)
    return answer


async def _told_by_starlette(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    words = {404: ("NotFound", "there is nothing here"), 405: ("NotAllowed", "not by this method")}
    code, text = words.get(error.status_code, ("BadRequest", str(error.detail)))
    return error_answer(HttpError(error.status_code, code, text, dict(error.headers or {})))
