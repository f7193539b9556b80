"""CQL2, text and JSON, as one checked tree (OGC 21-065r2, Common Query Language).

Text is parsed by the ``cql2`` library. It descends once per bracket and ``NOT``, in machine code
that has no bottom of its own, so how deep a text goes is looked at first.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, Literal, TypeAlias

from alos2.errors import UsageError
from alos2.types import Json

Language: TypeAlias = Literal["cql2-text", "cql2-json"]

_LONGEST: Final = 65_536
_DEEPEST: Final = 40
_MOST_NODES: Final = 5_000
_MOST_NUMBERS: Final = 40_000
_QUOTED: Final = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"")
_CHAIN: Final = re.compile(r"(?:(?:\bNOT\b|[-+])\s*){12}", re.IGNORECASE)
_HINT: Final = "see CQL2, OGC 21-065r2"


def parse(value: Any, language: Language | None = None) -> Json | bool:
    """Return a filter as CQL2-JSON.

    Parameters
    ----------
    value : str or object
        The filter. Text that begins with a brace may be JSON.
    language : {"cql2-text", "cql2-json"}, optional
        What it is; else what it looks like.

    Raises
    ------
    UsageError
        It is none, or too long or too deep.
    """
    if isinstance(value, str) and language != "cql2-json":
        if language is None and value.lstrip().startswith("{"):
            return parse(value, "cql2-json")
        return checked(_from_text(value))
    if language == "cql2-text":
        raise UsageError("a filter in cql2-text is a string", hint=_HINT)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"the filter is no JSON: {error}", hint=_HINT) from error
    return checked(value)


def checked(tree: Any) -> Json | bool:
    """Return `tree` if it is of a size and depth that can be worked with.

    Raises
    ------
    UsageError
        It is not; or it is neither an object nor true or false.
    """
    if not isinstance(tree, (dict, bool)):
        raise UsageError("a filter is an object with op and args", hint=_HINT)
    nodes = numbers = 0
    pending: list[tuple[Any, int]] = [(tree, 0)]
    while pending:
        node, depth = pending.pop()
        if depth > _DEEPEST:
            raise UsageError(f"the filter is deeper than {_DEEPEST} steps", hint="make it flatter")
        if isinstance(node, (int, float)) and not isinstance(node, bool):
            numbers += 1
            if not math.isfinite(node):
                raise UsageError("a number of the filter is too large", hint=_HINT)
            continue
        nodes += 1
        children = node.values() if isinstance(node, dict) else node
        if isinstance(node, (dict, list)):
            pending.extend((child, depth + 1) for child in children)
        if nodes > _MOST_NODES or numbers > _MOST_NUMBERS:
            raise UsageError("the filter is too long", hint="ask for less at once")
    return tree


def together(*filters: Json | bool | None) -> Json | bool | None:
    """Return the filter that holds where all of `filters` hold; None where there is none."""
    given = [one for one in filters if one is not None]
    if len(given) < 2:
        return given[0] if given else None
    return {"op": "and", "args": given}


def prop(name: str) -> Json:
    """Return a property as CQL2-JSON."""
    return {"property": name}


def one_of(name: str, values: Any) -> Json | None:
    """Return the condition that a property is one of some values; None where there are none."""
    wanted = list(values)
    return {"op": "in", "args": [prop(name), wanted]} if wanted else None


def _from_text(text: str) -> Any:
    if len(text) > _LONGEST:
        raise UsageError(f"the filter has over {_LONGEST} letters", hint="ask for less at once")
    bare = _QUOTED.sub("''", text)
    depth = deepest = 0
    for letter in bare:
        depth += (letter == "(") - (letter == ")")
        deepest = max(deepest, depth)
    if deepest > _DEEPEST or _CHAIN.search(bare):
        raise UsageError(f"the filter is deeper than {_DEEPEST} steps", hint="make it flatter")
    import cql2  # noqa: PLC0415  only filters need it

    try:
        return cql2.parse_text(text).to_json()
    except (cql2.ParseError, cql2.ValidationError, ValueError) as error:
        said = [line.strip() for line in str(error).splitlines() if line.strip()]
        where = " ".join(said[:1] + said[-1:]) if len(said) > 1 else "".join(said)
        raise UsageError(f"the filter is no CQL2 text: {where[:300]}", hint=_HINT) from error
