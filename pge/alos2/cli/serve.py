"""``alos2 serve``: the archive as a page, a STAC API, files and map tiles."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alos2.cli.output import json_line
from alos2.errors import NothingFound

if TYPE_CHECKING:
    from alos2.web.options import ServeOptions

_DEFAULT_PORT = 8014


@click.command()
@click.option(
    "--archive",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the datasets; else $ALOS2_ARCHIVE, else the working directory.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=_DEFAULT_PORT, show_default=True, help="Port; 0: any free one.")
@click.option("--open", "open_page", is_flag=True, help="Show the page in a browser.")
@click.option("--title", default=None, help="What to call the archive.")
@click.option("--allow-ingest", is_flag=True, help="Let deliveries be ingested from the page.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the token that changes need; else $ALOS2_SERVE_TOKEN.",
)
@click.option(
    "--proxy-user-header", help="Header in which a reverse proxy names who has logged in."
)
@click.option(
    "--proxy", "proxies", multiple=True, help="Address of that proxy. [default: loopback]"
)
@click.option("--url", help="Address that links begin with, where a proxy gives another one.")
@click.option("--name", "names", multiple=True, help="Further host name of this server.")
@click.option(
    "--cors",
    multiple=True,
    help="Origin whose pages may read; * for all, none for none. [default: *]",
)
@click.option(
    "--catalogue", help="Search another catalogue: grq:URL, or the address of a STAC API."
)
@click.option("--log-requests", is_flag=True, help="Log each request.")
@click.option("--json", "as_json", is_flag=True, help="Print the address as a JSON object.")
def command(
    *,
    archive: Path | None,
    open_page: bool,
    token_file: Path | None,
    as_json: bool,
    **given: object,
) -> None:
    """Serve an archive: a page with a map, a STAC API under /stac, files and map tiles.

    It listens on this machine alone unless --host says otherwise; beyond it, what changes anything
    needs a token or the login of a reverse proxy. Ctrl-C ends it.
    """
    from alos2.cli import settings as settings_of
    from alos2.web.serve import serve, token_of
    from alos2.web.start import application, prepare

    folder = archive or settings_of.load().archive or Path.cwd()
    if not folder.is_dir():
        raise NothingFound(
            f"the archive {folder} is not there", hint="give its folder with --archive"
        )
    options = _options(given, token_of(os.environ.get("ALOS2_SERVE_TOKEN"), token_file))
    if options.catalogue is None:
        prepare(folder)

    def told(address: str) -> None:
        if as_json:
            json_line({"url": address, "stac": f"{address}/stac", "archive": str(folder)})
        else:
            click.echo(f"{folder}: {address} (STAC API: {address}/stac); Ctrl-C ends it", err=True)

    serve(lambda: application(folder, options), options, told=told, open_page=open_page)


def _options(given: dict[str, object], token: str | None) -> ServeOptions:
    from alos2.web.options import ServeOptions
    from alos2.web.serve import names_of

    lists = {name: names_of(given.pop(name) or ()) for name in ("names", "proxies", "cors")}  # type: ignore[arg-type]
    if lists["cors"] == ("none",):
        chosen: dict[str, object] = {"cors": ()}
    else:
        chosen = {"cors": lists["cors"]} if lists["cors"] else {}
    if lists["proxies"]:
        chosen["proxies"] = lists["proxies"]
    said = {name: value for name, value in given.items() if value is not None}
    return ServeOptions(**said, **chosen, names=lists["names"], token=token)  # type: ignore[arg-type]
