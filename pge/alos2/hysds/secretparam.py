"""A secret among a job's parameters, taken out of ``_context.json`` before anything else happens.

HySDS uploads that file with every dataset, so a password in it is published. The file is replaced
in one step: a worker that reads it, or a kill at any moment, finds it whole, before or after.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any, Final

from alos2.dataset.hidden import MASK, SHORTEST, hide, spellings
from alos2.errors import NoResource, UsageError
from alos2.sources.credentials.secret import Secret

NO_TRIAGE: Final = "_triage_disabled"
"""Set to true in ``_context.json``: of a failed job HySDS would upload ``_job.json`` and
``_run.sh``, which hold the parameters too."""


def take_secret(file: Path, name: str) -> Secret | None:
    """Return the parameter `name` of a job, which is in its context no more.

    Everything in the context that equals the secret becomes empty, and what contains it (also
    percent-encoded, escaped or in base64) has ``***`` in its place, however deep.

    Parameters
    ----------
    file : Path
        ``_context.json``.
    name : str
        The parameter.

    Returns
    -------
    Secret or None
        None where the parameter is absent or blank; then nothing is written.

    Raises
    ------
    UsageError
        The parameter is no text, or the file no JSON object.
    NoResource
        The file cannot be replaced: then the secret must not be used, as it would be published.
    """
    content = _read(file)
    given = content.get(name)
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if given is None:
        return None
    if not isinstance(given, str):
        raise UsageError(
            f"parameter {name!r} in {file.name} is {type(given).__name__}, not text",
            hint="leave it empty and name a credential profile instead",
        )
    given = given.strip()
    if not given:
        return None
    secret = Secret(given)
    in_base64 = base64.b64encode(given.encode("utf-8", "surrogatepass")).decode()
    hide(in_base64)
    cleaned = _cleaned(content, given, (*spellings(given), in_base64))
    cleaned[name] = ""
    cleaned[NO_TRIAGE] = True
    _replace(file, cleaned)
    return secret


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{file} cannot be read: {type(error).__name__}",
            hint="the HySDS worker writes it; see the job's page in Figaro",
        ) from None
    return content if isinstance(content, dict) else {}


def _cleaned(value: Any, secret: str, spelled: tuple[str, ...]) -> Any:
    """Return `value` without the secret."""
    if isinstance(value, dict):
        return {key: _cleaned(inner, secret, spelled) for key, inner in value.items()}
    if isinstance(value, list):
        return [_cleaned(inner, secret, spelled) for inner in value]
    if isinstance(value, str):
        return "" if value.strip() == secret else _without(value, spelled)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None if str(value) == secret else value
    return value


def _without(text: str, spelled: tuple[str, ...]) -> str:
    for one in spelled:
        # A very short one stands in half of all words; it is no password of any portal.
        if len(one) >= SHORTEST and one in text:
            text = text.replace(one, MASK)
    return text


def _replace(file: Path, content: dict[str, Any]) -> None:
    """Replace the file by `content` in one step, with the same mode, durably."""
    fresh = file.with_name(f".{file.name}.new")
    try:
        mode = file.stat().st_mode & 0o7777
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "w", encoding="utf-8") as stream:  # noqa: PTH123  (a descriptor)
            json.dump(content, stream, indent=2)
            stream.flush()
            if hasattr(os, "fchmod"):
                os.fchmod(handle, mode)
            os.fsync(handle)
        fresh.replace(file)
        _sync_folder(file.parent)
    except OSError as error:
        raise NoResource(
            f"the password cannot be taken out of {file}: {error.strerror or error}; HySDS would "
            "publish it with the dataset",
            hint="leave the parameter empty and name a credential profile instead",
        ) from None


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # Windows cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
