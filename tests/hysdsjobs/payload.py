"""A job as HySDS makes it of a job-spec, a hysds-io and what a person or a REST call gives.

Source: ``hysds_commons/job_utils.py``, as public code has it in August 2026.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class RefusedError(Exception):
    """HySDS does not make a job of it."""


@dataclass(frozen=True)
class Payload:
    """A job as it lies in the queue."""

    job: str
    spec: dict[str, Any]
    params: dict[str, Any]
    """All that the submitter gave, defaults filled in."""
    context: dict[str, Any]
    """Those of them that go into ``_context.json``."""
    command: str
    submission: dict[str, Any] = field(default_factory=dict)
    """tag, username, priority, payload_hash."""


def read(job: str, kind: str) -> dict[str, Any]:
    """Return a job-spec or hysds-io as the container-builder reads it: from docker/."""
    content: dict[str, Any] = json.loads(
        (ROOT / "docker" / f"{kind}.json.{job}").read_text("utf-8")
    )
    return content


def typed(job: str, fields: Mapping[str, str] = {}, **submission: Any) -> Payload:
    """Make the job of a person who filled in `fields` of the form: hysds-io's rules."""
    given: dict[str, Any] = {}
    for param in read(job, "hysds-io")["params"]:
        name = param["name"]
        if "value" in param:
            value = param["value"]
        elif param["from"] == "submitter" and name in fields:
            value = fields[name]
        elif "default" in param:
            value = param["default"]
        elif param.get("optional"):
            continue
        else:
            raise RefusedError(f"{name} is not given")
        assert "lambda" not in param
        given[name] = _converted(value, param)
    return resolved(job, given, **submission)


def _converted(value: str, param: Mapping[str, Any]) -> Any:
    """``run_type_conversion``."""
    kind = param.get("type", "text")
    if param.get("optional") and not value.strip():
        return ""
    if kind == "number":
        return float(value)
    if kind == "boolean":
        return value.lower() == "true"
    return json.loads(value) if kind == "region" else value


def by_rest(job: str, params: Mapping[str, Any] = {}, **submission: Any) -> Payload:
    """Make the job of a REST submission: no conversion, no lambda."""
    return resolved(job, dict(params), **submission)


def resolved(job: str, given: dict[str, Any], **submission: Any) -> Payload:
    """``resolve_hysds_job``: defaults, and each parameter where its destination is."""
    spec = read(job, "job-spec")
    known = {param["name"]: param for param in read(job, "hysds-io")["params"]}
    params, context, positional = {}, {}, []
    for param in spec["params"]:
        name = param["name"]
        if name in given:
            value = given[name]
        elif "default" in known[name]:
            value = known[name]["default"]
        elif known[name].get("optional"):
            continue
        else:
            raise RefusedError(f"'params' must specify '{name}' parameter")
        params[name] = value
        if param["destination"] == "context":
            context[name] = value
        elif param["destination"] == "positional":
            positional.append(value)
        else:
            raise RefusedError(f"{name}: this simulator localizes nothing")
    return Payload(job, spec, params, context, command_line(spec, positional), submission)


def command_line(spec: Mapping[str, Any], positional: list[Any]) -> str:
    """``get_command_line``: positional parameters in single quotes behind the command."""
    words = [value if isinstance(value, str) else json.dumps(value) for value in positional]
    escaped = (word.replace("'", "'\"'\"'") for word in words)
    return " ".join([spec["command"], *(f"'{word}'" for word in escaped)])


def arguments(payload: Payload) -> list[str]:
    """What the worker runs: no shell, and ``$NAME`` is a parameter's value."""
    words = shlex.split(payload.command)
    return [str(payload.params[w[1:]]) if w.startswith("$") else w for w in words]


def without_defaults(payload: Payload) -> Payload:
    """Leave the blank parameters out: as for an optional one that has no default."""
    context = {name: value for name, value in payload.context.items() if value != ""}
    return Payload(
        payload.job, payload.spec, payload.params, context, payload.command, payload.submission
    )
