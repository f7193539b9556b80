"""A configuration is written: each parameter with what it means, as TOML or YAML.

What is not set stands there too, as a comment, so that a file shows all that there is.
"""

from __future__ import annotations

import contextlib
import json
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from alos2.errors import UsageError
from alos2.raster.files import make_folder, refusal
from alos2.stack.config.base import OURS
from alos2.stack.config.model import Section, StackConfig
from alos2.stack.config.read import SUFFIXES
from alos2.types import Json

_WIDTH: Final = 96
_HEAD: Final = (
    "A stack of ALOS-2 scenes. `alos2 stack plan` looks it over, `alos2 stack run` makes it; "
    "docs/stacks.md has all parameters beside OpenSarToolkit's names. Relative paths begin at "
    "this file's folder."
)


class Parameter(NamedTuple):
    """A row of the reference of all parameters."""

    section: str
    name: str
    default: str
    meaning: str
    ost: str
    """OpenSarToolkit's name of it, if it has one."""
    old: str
    """OpenSarToolkit's name of it in 2019, if it had one."""


def parameters() -> Iterator[Parameter]:
    """Yield all parameters, in the order of the file."""
    for section, model in _tables(StackConfig, ()):
        for name, field in _values(model):
            notes: Json = dict(field.json_schema_extra or {})  # type: ignore[arg-type]
            default = field.get_default()
            yield Parameter(
                ".".join(section),
                field.alias or name,
                "" if default is None else toml_value(default),
                f"{field.description or ''}{_choices(field)}",
                notes.get("ost", ""),
                notes.get("old", ""),
            )


def reference_table() -> str:
    """Return the table of all parameters as Markdown, as docs/stacks.md has it."""
    lines = [
        "| section | parameter | default | meaning | OpenSarToolkit | its 2019 name |",
        "|---|---|---|---|---|---|",
    ]
    for row in parameters():
        known = row.ost or (row.name if row.section in _OSTS else "")
        known = "" if known == OURS else known
        cells = (
            f"`[{row.section}]`",
            f"`{row.name}`",
            f"`{row.default}`" if row.default else "",
            row.meaning.replace("|", "\\|"),
            ", ".join(f"`{word}`" for word in known.split(", ") if word),
            f"`{row.old}`" if row.old else "",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


_OSTS: Final = (
    "single_ARD", "single_ARD.speckle_filter", "time-series_ARD",
    "time-series_ARD.mt_speckle_filter", "time-scan_ARD", "mosaic",
)  # fmt: skip


def config_text(config: StackConfig, form: Literal["toml", "yaml"]) -> str:
    """Return a configuration with comments.

    Parameters
    ----------
    config : StackConfig
        What it says.
    form : {"toml", "yaml"}
        How.
    """
    said = config.to_json()
    lines = [*_comment(_HEAD, ""), ""]
    for section, model in _tables(StackConfig, ()):
        table = said
        for name in section:
            table = table[name]
        own = model.__doc__ or ""
        if form == "toml":
            lines += [*_comment(own, ""), f"[{'.'.join(section)}]"]
        else:
            indent = "  " * (len(section) - 1)
            lines += [*_comment(own, indent), f"{indent}{section[-1]}:"]
        for name, field in _values(model):
            key = field.alias or name
            indent = "" if form == "toml" else "  " * len(section)
            lines += _comment(f"{field.description or ''}{_choices(field)}", indent)
            lines += _line(key, table[key], form, indent)
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def write_config(config: StackConfig, path: Path, *, force: bool = False) -> None:
    """Write a configuration, whole or not at all.

    Raises
    ------
    UsageError
        The name is no configuration's, or the file is there already and `force` is not given.
    NoResource, NoSpace
        The system refuses.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path} is no configuration by its name", hint="as stack.toml")
    text = config_text(config, "toml" if path.suffix.lower() == ".toml" else "yaml")
    put_text(path, text, replace=force)


def put_text(path: Path, text: str, *, replace: bool = True) -> None:
    """Write a file in one step: it is there whole, or as it was before.

    Raises
    ------
    UsageError
        It is there already, and is not to be replaced.
    NoResource, NoSpace
        The system refuses.
    """
    put_bytes(path, text.encode(), replace=replace)


def put_bytes(path: Path, data: bytes, *, replace: bool = True) -> None:
    """Write a file in one step, as `put_text`."""
    make_folder(path.parent)
    hidden = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with hidden.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if replace:
            hidden.replace(path)
        else:
            # A link is refused where there is a file, in one step.
            path.hardlink_to(hidden)
    except FileExistsError:
        raise UsageError(f"{path} is there already", hint="--force replaces it") from None
    except OSError as error:
        raise refusal(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            hidden.unlink(missing_ok=True)


def toml_value(value: Any) -> str:
    """Return a value as TOML has it: text, numbers, lists, and tables in one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        pairs = (f"{toml_value(str(k))} = {toml_value(v)}" for k, v in value.items())
        inner = ", ".join(pairs)
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(one) for one in value) + "]"
    if isinstance(value, (int, float)):
        return repr(value)
    # JSON's escapes are TOML's, but for the one character that JSON leaves as it is.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _line(key: str, value: Any, form: str, indent: str) -> list[str]:
    if value is None or value == {}:  # a table of its own may follow, [stack.leaders]
        return [f"{indent}# {key} {'=' if form == 'toml' else ':'}".replace(" :", ":")]
    if form == "toml":
        return [f"{key} = {toml_value(value)}"]
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return [f"{indent}{key}: {text.removesuffix('...' + chr(10)).strip()}"]


def _comment(text: str, indent: str) -> list[str]:
    return [f"{indent}# {line}" for line in textwrap.wrap(" ".join(text.split()), _WIDTH)]


def _tables(
    model: type[BaseModel], at: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    """Yield the sections that hold values, outer before inner."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            here = (*at, field.alias or name)
            yield here, kind
            yield from _tables(kind, here)


def _values(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, Section)):
            yield name, field


def _choices(field: FieldInfo) -> str:
    """Return the words that a field may have, if they are few and fixed."""
    kinds = [field.annotation, *get_args(field.annotation)]
    for kind in kinds:
        if get_origin(kind) is Literal:
            return f" ({', '.join(str(word) for word in get_args(kind))})"
    return ""
