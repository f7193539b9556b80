"""What is wrong with a configuration, in sentences: where, which value, what is allowed there."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

from alos2.errors import UsageError
from alos2.stack.config.model import Section, StackConfig
from alos2.types import Json

_MOST_FAULTS: Final = 20
_MOST_SHOWN: Final = 60

_OLD: Final[Mapping[str, str]] = {
    "outResolution": "[single_ARD] resolution",
    "lsMask": "[single_ARD] create_ls_mask and [time-series_ARD] apply_ls_mask",
    "spkFlt": "[single_ARD] remove_speckle with [single_ARD.speckle_filter] filter",
    "outPrdType": "[single_ARD] product_type",
    "prdType": "[single_ARD] product_type",
    "mtSpkFlt": "[time-series_ARD] remove_mt_speckle with [time-series_ARD.mt_speckle_filter]",
    "toDB": "[time-series_ARD] to_db",
    "dType": "[time-series_ARD] dtype_output",
    "outRem": "[time-scan_ARD] remove_outliers",
    "toPower": "nothing: it follows from to_db and dtype_output",
    "rescale": "nothing: it follows from dtype_output",
    "polarization": "[single_ARD] polarisation",
    "polarizations": "[single_ARD] polarisation",
    "polarisations": "[single_ARD] polarisation",
    "harmonisation": "[mosaic] harmonization",
    "timeseries_metrics": "[time-scan_ARD] metrics",
}
"""Of OpenSarToolkit of 2019 and near to it, with what is said now."""

_NOT_OURS: Final[Mapping[str, str]] = {
    "type": "there are no ready-made sets: say product_type and resolution",
    "image_type": "the level of a scene is known from its files, see [stack] levels",
    "remove_border_noise": "ALOS-2 has no such noise; [single_ARD] border_px takes off an edge",
    "to_tif": "all results are GeoTIFFs",
    "geocoding": "all results are geocoded",
    "deseasonalize": "it is not done; [time-scan_ARD] metrics has harmonics",
    "production": "OpenSarToolkit never used it; leave it out",
    "pan_size": "it is the IDAN filter's, which is not offered",
    "dem_name": "nothing is downloaded: give the file as [single_ARD.dem] path",
    "dem_file": "it is [single_ARD.dem] path",
    "dem_nodata": "the file says what its holes are, [single_ARD.dem] fill_m what they become",
    "scenes_per_job": "a job is one acquisition",
    "dem_resampling": "heights are interpolated bilinearly",
    "image_resampling": "power is resampled bilinearly or averaged: bicubic would go below zero",
    "egm_correction": "it is [single_ARD.dem] heights",
    "out_projection": "it is [stack] crs",
    "max_workers": "it is [stack] threads",
    "executor_type": "it is [cluster] site",
    "snap_cpu_parallelism": "it is [stack] threads",
    "aoi": "it is [stack] area",
    "download_dir": "it is [stack] archive or folders",
    "processing_dir": "it is [stack] work_dir",
    "coherence": "coherence is not made of a stack",
    "dem": "it is [single_ARD.dem]",
    "to_db": "scenes are in power, as CEOS-ARD wants it; [time-series_ARD] has to_db",
}
"""OpenSarToolkit's names that have no place here, with the reason or the place."""


def faults_of(error: ValidationError, document: Json) -> list[str]:
    """Return a sentence for each fault of a document."""
    return [_sentence(fault, document) for fault in _unique(error)]


def refused(source: str, faults: list[str]) -> UsageError:
    """Return the error that tells all `faults` of the file `source`."""
    shown = faults[:_MOST_FAULTS]
    if len(faults) > len(shown):
        shown.append(f"and {len(faults) - len(shown)} more")
    text = f"{source}: {shown[0]}" if len(shown) == 1 else "\n  ".join([f"{source}:", *shown])
    return UsageError(text, hint="docs/stacks.md lists all parameters")


def _unique(error: ValidationError) -> Iterator[Any]:
    """Yield the faults, one for each key: of the types of a union each has its own."""
    seen = set()
    for fault in error.errors(include_url=False):
        key = tuple(part for part in fault["loc"] if _is_key(part))
        if key not in seen:
            seen.add(key)
            yield {**fault, "loc": key}


def _is_key(part: int | str) -> bool:
    """Whether it is part of a key, and not the name of a type of a union."""
    return isinstance(part, int) or not (
        part in ("str", "int", "float") or "[" in part or part.startswith("function-")
    )


def _sentence(fault: Any, document: Json) -> str:
    loc = fault["loc"]
    where = _where(loc)
    if fault["type"] == "extra_forbidden":
        return f"{where}: {_unknown(str(loc[-1]), _model_at(loc[:-1]), loc[:-1])}"
    value = _at(document, loc)
    if isinstance(value, dict) and fault["type"] == "value_error":
        # What does not go together within a section, or between two.
        return f"{where}: {_allowed(fault)}" if where else _allowed(fault)
    return f"{where} = {_short(value)}: {_allowed(fault)}"


def _where(loc: tuple[int | str, ...]) -> str:
    names = [str(part) for part in loc if isinstance(part, str)]
    items = "".join(f"[{part}]" for part in loc if isinstance(part, int))
    depth = next((n for n in range(len(names), 0, -1) if _is_section(names[:n])), 0)
    section, rest = ".".join(names[:depth]), ".".join(names[depth:])
    return ((f"[{section}]" if section else "") + (f" {rest}{items}" if rest else items)).strip()


def _is_section(names: list[str]) -> bool:
    model = _model_at(tuple(names[:-1]))
    return model is not None and _section_of(model, names[-1]) is not None


def _model_at(loc: tuple[int | str, ...]) -> type[BaseModel] | None:
    model: type[BaseModel] | None = StackConfig
    for part in loc:
        model = None if model is None else _section_of(model, str(part))
    return model


def _section_of(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    for field_name, field in model.model_fields.items():
        if name in (field_name, field.alias):
            kinds = [field.annotation, *get_args(field.annotation)]
            return next((k for k in kinds if isinstance(k, type) and issubclass(k, Section)), None)
    return None


def names_of(model: type[BaseModel]) -> list[str]:
    """Return the names of a section's fields as a file has them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _unknown(name: str, model: type[BaseModel] | None, loc: tuple[int | str, ...]) -> str:
    known = names_of(model or StackConfig)
    if name in _OLD:
        return f"{name} is OpenSarToolkit's old name, say {_OLD[name]}"
    if name in _NOT_OURS:
        return f"{name} has no place here: {_NOT_OURS[name]}"
    lowered = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    if near:
        return f"there is no {name}; {lowered[near[0]]} is meant?"
    for section, kind in sections(StackConfig, ()):
        if name in names_of(kind) and section != loc:
            return f"there is no {name} here; it stands in [{'.'.join(section)}]"
    return f"there is no {name}; there are {', '.join(known)}"


def sections(
    model: type[BaseModel], at: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    """Yield all sections with their names."""
    for name in names_of(model):
        kind = _section_of(model, name)
        if kind is not None:
            yield (*at, name), kind
            yield from sections(kind, (*at, name))


def _at(document: Any, loc: tuple[int | str, ...]) -> Any:
    value = document
    for part in loc:
        if isinstance(value, str):
            break  # a list that is written as one text
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            break
    return value


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "..."


_KINDS: Final = {
    "bool_type": "true or false is allowed",
    "bool_parsing": "true or false is allowed",
    "float_type": "a number is allowed",
    "int_type": "a whole number is allowed",
    "string_type": "text (in quotes) is allowed",
    "path_type": "a path (text in quotes) is allowed",
    "tuple_type": "a list is allowed",
    "dict_type": "a table is allowed",
    "missing": "more values are needed",
    "model_type": "a section with keys is allowed",
}
_LIMITS: Final = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}


def _allowed(fault: Any) -> str:
    """Return what a faulty value could be."""
    kind, context = str(fault["type"]), fault.get("ctx", {})
    if kind == "literal_error":
        return f"allowed are {str(context['expected']).replace(' or ', ', ')}"
    if kind == "value_error":
        return str(context["error"])
    for name, words in _LIMITS.items():
        if name in context:
            return f"{words} {context[name]:g} is allowed"
    return _KINDS.get(kind, str(fault["msg"]))
