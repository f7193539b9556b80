"""Which journal suits the file system that an archive lies on: see `alos2.archive.filesystem`."""

from __future__ import annotations

from alos2.archive.filesystem import Journal, file_system, is_local, suited_journal

__all__ = ["Journal", "file_system", "is_local", "suited_journal"]
