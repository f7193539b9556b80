"""Compare an existing zip with what it should hold, without unpacking it to a disk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from alos2.archive.limits import DEFAULT_LIMITS, Limits
from alos2.archive.member import FileMember, ZipMember
from alos2.archive.plan import plan_archive
from alos2.archive.streams import member_chunks
from alos2.errors import BadProduct

Expected: TypeAlias = Mapping[str, tuple[int, str | int]]
"""Name in the zip to size and either SHA-256 (str; the data are read) or CRC-32 (int; compared
with the directory only: enough for a zip that was read before)."""

_CHUNK = 512 * 1024


def differences(path: Path, expected: Expected, *, limits: Limits = DEFAULT_LIMITS) -> list[str]:
    """Say in a sentence each how a zip differs from what is expected; empty where it does not.

    Folders do not count; that a zip is unreadable or unsafe is a difference.
    """
    found: list[str] = []
    try:
        plan = plan_archive(FileMember.of(path), limits=limits, descend=False)
        members = {item.path.as_posix(): item.member for item in plan.files}
        found += [f"{name} is missing" for name in expected if name not in members]
        found += [f"{name} was not expected" for name in members if name not in expected]
        for name, (size, digest) in expected.items():
            if name in members:
                found += _member_differences(members[name], size, digest)
    except BadProduct as error:
        found.append(error.message)
    return found


def _member_differences(member: ZipMember, size: int, digest: str | int) -> list[str]:
    if member.size != size:
        return [f"{member.entry.name} has {member.size} bytes instead of {size}"]
    if isinstance(digest, int):
        same = member.entry.crc32 == digest
    else:
        sha256 = hashlib.sha256(usedforsecurity=False)
        with member.open_packed() as packed:
            for data in member_chunks(packed, member.entry, where=member.path, chunk=_CHUNK):
                sha256.update(data)
        same = sha256.hexdigest() == digest.lower()
    return [] if same else [f"{member.entry.name} has other contents"]


def verify_zip(path: Path, expected: Expected, *, limits: Limits = DEFAULT_LIMITS) -> bool:
    """Whether a zip holds exactly the files that are expected. Raises nothing for a bad zip."""
    return not differences(path, expected, limits=limits)
