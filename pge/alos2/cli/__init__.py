"""The ``alos2`` command: arguments in, exit code out."""

from alos2.cli.main import main

__all__ = ["main"]
