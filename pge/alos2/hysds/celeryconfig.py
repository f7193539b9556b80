"""What ``celeryconfig.py`` of a HySDS worker says, without running a line of it.

The worker lays its configuration into each job's directory. It is Python, and whoever can write
there could have us run it, so it is only read: assignments of text at the top level, with ``+``,
``%``, f-strings, ``.format`` and names of earlier such assignments put together. Whatever else a
value is made of makes it unknown, and asking for it an error. Nothing of the file is ever shown:
passwords stand in it.
"""

from __future__ import annotations

import ast
import string
import warnings
from pathlib import Path
from typing import Final, TypeAlias

from alos2.errors import UsageError

FILE_NAME: Final = "celeryconfig.py"
_LARGEST: Final = 1 << 20
_ALL: Final = "*"
"""What ``from X import *`` sets."""
_LONGEST: Final = 4096
"""Letters of an address; ``"x" * 10**9`` is no product that we make, and neither is ``%``'s."""

Value: TypeAlias = "str | int | float | bool | tuple[str, ...] | None"


class Settings:
    """The settings of a ``celeryconfig.py`` that can be known without running it.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    UsageError
        It cannot be read, or is no Python.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, Value] = {}
        self._unknown: dict[str, tuple[int, str]] = {}
        for statement in _parse(path).body:
            self._take(statement)

    def __contains__(self, name: str) -> bool:
        return name in self._known or name in self._unknown

    def urls(self, name: str) -> tuple[str, ...]:
        """Return the addresses that a setting names, one or several; empty where it is not set.

        Raises
        ------
        UsageError
            It is set, and cannot be known without running the file, or is no text.
        """
        unknown = self._unknown.get(name)
        if unknown is None and name not in self._known:
            unknown = self._unknown.get(_ALL)
        if unknown is not None:
            line, why = unknown
            raise UsageError(
                f"{name} in {self.path}, line {line}, cannot be known without running it: {why}",
                hint="set the address in the environment (see docs/grq.md)",
            )
        value = self._known.get(name)
        if value is None:
            return ()
        given = (value,) if isinstance(value, str) else value
        if not isinstance(given, tuple) or not all(text.strip() for text in given):
            raise UsageError(f"{name} in {self.path} is no address")
        return given

    def _take(self, statement: ast.stmt) -> None:
        targets: list[ast.expr] = []
        source: ast.expr | None = None
        if isinstance(statement, ast.Assign):
            targets, source = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, source = [statement.target], statement.value
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if not targets or len(names) != len(targets):
            bound = _bound(statement)
            for name in self._known.keys() | bound if _ALL in bound else bound:
                self._forget(name, statement, "it is not set by a plain assignment")
            return
        for name in names:
            try:
                value = _Evaluation(self._known).of(source)
            except _UnknownError as error:
                self._forget(name, statement, str(error))
            except RecursionError:
                self._forget(name, statement, "it is put together of too many parts")
            else:
                self._known[name] = value
                self._unknown.pop(name, None)

    def _forget(self, name: str, statement: ast.stmt, why: str) -> None:
        self._known.pop(name, None)
        self._unknown[name] = (statement.lineno, why)


def _parse(path: Path) -> ast.Module:
    hint = "set the addresses in the environment (see docs/grq.md)"
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    if len(content) > _LARGEST:
        raise UsageError(f"{path} is too long for a configuration", hint=hint)
    try:
        with warnings.catch_warnings():
            # A warning (of an escape that is none, in a password) is shown with its line.
            warnings.simplefilter("ignore")
            return ast.parse(content, filename=FILE_NAME)
    except SyntaxError as error:
        # Not chained: a syntax error carries the line, and a password may stand in it.
        raise UsageError(f"{path} is no Python (line {error.lineno})", hint=hint) from None
    except (ValueError, RecursionError, MemoryError):
        raise UsageError(f"{path} is no Python", hint=hint) from None


def _bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement may set or change, wherever in it; `_ALL`: any."""
    names: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            names.add(node.id)
        elif isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.value, ast.Name):
            # NAME[0] = ..., and NAME.append(...): a list that is known would be so no more.
            if not isinstance(node.ctx, ast.Load) or isinstance(statement, ast.Expr):
                names.add(node.value.id)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
    return names


class _UnknownError(Exception):
    """A value that is not put together from constants; the text says what it is made of."""


class _Evaluation:
    """Puts text together that an expression makes of constants."""

    def __init__(self, known: dict[str, Value]) -> None:
        self._known = known

    def of(self, node: ast.expr | None) -> Value:
        """Return the value of an expression.

        Raises
        ------
        _UnknownError
            Something would have to be run for it.
        """
        value = self._of(node)
        if isinstance(value, str) and len(value) > _LONGEST:
            raise _UnknownError("it is too long for an address")
        return value

    def _of(self, node: ast.expr | None) -> Value:
        if isinstance(node, ast.Constant):
            return self._constant(node)
        if isinstance(node, ast.Name):
            if node.id not in self._known:
                raise _UnknownError(f"it uses the name {node.id}")
            return self._known[node.id]
        if isinstance(node, (ast.List, ast.Tuple)):
            return tuple(self._text(item) for item in node.elts)
        return self._joined(node)

    def _constant(self, node: ast.Constant) -> Value:
        if node.value is None or isinstance(node.value, (str, int, float)):
            return node.value
        raise _UnknownError(f"it has {type(node.value).__name__} in it")

    def _joined(self, node: ast.expr | None) -> str:
        if isinstance(node, ast.JoinedStr):
            return "".join(self._piece(part) for part in node.values)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self._text(node.left) + self._text(node.right)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            return self._percent(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        raise _UnknownError(f"it has a {type(node).__name__} in it")

    def _text(self, node: ast.expr) -> str:
        value = self.of(node)
        if not isinstance(value, str):
            raise _UnknownError("a part of it is no text")
        return value

    def _scalar(self, node: ast.expr) -> str:
        value = self.of(node)
        if isinstance(value, tuple):
            raise _UnknownError("a part of it is a list")
        return str(value)

    def _piece(self, node: ast.expr) -> str:
        if not isinstance(node, ast.FormattedValue):
            return self._text(node)
        if node.format_spec is not None or node.conversion != -1:
            raise _UnknownError("it has a format other than {NAME} in it")
        return self._scalar(node.value)

    def _percent(self, node: ast.BinOp) -> str:
        pattern = self._text(node.left)
        given = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        pieces = pattern.replace("%d", "%s").split("%s")
        if any("%" in piece for piece in pieces) or len(pieces) != len(given) + 1:
            raise _UnknownError("it has a format other than %s in it")
        values = [*(self._scalar(item) for item in given), ""]
        return "".join(f"{piece}{value}" for piece, value in zip(pieces, values, strict=True))

    def _call(self, node: ast.Call) -> str:
        function = node.func
        if not isinstance(function, ast.Attribute) or function.attr != "format":
            raise _UnknownError("it calls a function")
        pattern = self._text(function.value)
        given = {str(i): self._scalar(item) for i, item in enumerate(node.args)}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise _UnknownError("it calls a function with **")
            given[keyword.arg] = self._scalar(keyword.value)
        return _formatted(pattern, given)


def _formatted(pattern: str, given: dict[str, str]) -> str:
    """Return ``pattern.format(...)``, of plain ``{}``, ``{0}`` and ``{name}`` only."""
    text, counter = "", 0
    try:
        for literal, name, spec, conversion in string.Formatter().parse(pattern):
            text += literal
            if name is None:
                continue
            if spec or conversion:
                raise _UnknownError("it has a format other than {NAME} in it")
            key = name or str(counter)
            counter += not name
            text += given[key]
    except (ValueError, KeyError) as error:
        raise _UnknownError("its format has no value for a name") from error
    return text
