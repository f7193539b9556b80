"""The ``alos2`` command: its verbs, its options for all verbs, and how errors become exit codes."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType

import click

from alos2 import __version__
from alos2.cli import logs
from alos2.errors import Alos2Error, Interrupted, Terminated

VERBS = {
    "info": "alos2.cli.info",
    "ingest": "alos2.cli.ingest",
    "scan": "alos2.cli.scan",
    "publish": "alos2.cli.publish",
    "search": "alos2.cli.search",
    "stack": "alos2.cli.stack",
    "serve": "alos2.cli.serve",
    "catalog": "alos2.cli.catalog",
    "simulate": "alos2.cli.simulate",
    "demo": "alos2.cli.demo",
    "doctor": "alos2.cli.doctor",
}
"""Where each verb is; its module is imported when it is asked for."""

HIDDEN = {"scan-chunk": "alos2.cli.scanchunk"}
"""Verbs that only our own jobs use."""


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        found = VERBS.get(cmd_name) or HIDDEN.get(cmd_name)
        if found is None:
            return None
        module = importlib.import_module(found)
        command: click.Command = module.command
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="alos2")
@click.option("-v", "--verbose", count=True, help="Say what is being done; -vv: everything.")
@click.option("-q", "--quiet", is_flag=True, help="Only errors.")
@click.option("--log-json", is_flag=True, help="Log one JSON object a line.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(ctx: click.Context, *, verbose: int, quiet: bool, log_json: bool, debug: bool) -> None:
    """ALOS-2/PALSAR-2 products in, datasets out.

    Results are on standard output, all else on standard error.

    Exit codes: 0 done, 1 internal, 2 usage, 3 bad product or archive, 4 login, 5 transfer,
    6 nothing found, 7 publish or catalogue, 8 some done and some failed, 9 no space,
    130/143 interrupted.
    """
    logs.set_up(-1 if quiet else verbose, as_json=log_json)
    ctx.obj = {"quiet": quiet, "debug": debug}


def _terminate(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise Terminated("stopped by SIGTERM; no half-made dataset is left")


def install_signal_handlers() -> None:
    """Turn SIGTERM into an exception, so that what is half-made is taken away."""
    signal.signal(signal.SIGTERM, _terminate)


def report(error: BaseException, *, debug: bool = False) -> int:
    """Print one line about `error` on standard error and return the exit code for it."""
    # Imported late: only needed when something went wrong.
    from alos2.dataset.scrub import scrub

    code, line = describe(error)
    if debug or code == 1:
        trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        click.echo(scrub(trace), err=True)
    click.echo(f"alos2: {scrub(line)}", err=True)
    return code


def describe(error: BaseException) -> tuple[int, str]:
    """Return the exit code and the line that tell of `error`."""
    if isinstance(error, Alos2Error):
        return error.exit_code, error.short
    if isinstance(error, KeyboardInterrupt):
        interrupted = Interrupted(
            "stopped by Ctrl-C; nothing half-made is left, and the same command goes on from there"
        )
        return interrupted.exit_code, interrupted.short
    if isinstance(error, MemoryError):
        return 9, "NoResource: not enough memory"
    return 1, f"InternalError: {type(error).__name__}: {error} (please report it as an issue)"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit code."""
    install_signal_handlers()
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        result = cli.main(arguments, prog_name="alos2", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as leave:
        code = leave.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = report(KeyboardInterrupt())
    except BrokenPipeError:
        # Whoever read our output has gone (| head): no fault, but nothing more may be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  the last net: it is reported
        code = report(error, debug="--debug" in arguments)
    else:
        code = result if isinstance(result, int) else 0
    logging.shutdown()
    sys.exit(code)
