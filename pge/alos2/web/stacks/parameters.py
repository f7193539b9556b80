"""How a stack was made, in groups, with words and units for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from alos2.types import Json

_PASS: Final = {"A": "ascending", "D": "descending"}
_LOOK: Final = {"L": "left", "R": "right"}
_STEPS: Final = {
    "ard": "Each acquisition",
    "series": "Time series",
    "timescan": "Metrics",
    "mosaic": "Mosaic",
    "animation": "Pictures",
}
_WORDS: Final = {
    "resolution_m": "Pixel spacing",
    "product_type": "Product",
    "flattening": "Terrain flattening",
    "angular_model": "Model of the angles",
    "create_ls_mask": "Layover and shadow found",
    "apply_ls_mask": "Layover and shadow left out",
    "remove_speckle": "Speckle filter",
    "border_px": "Border cut off",
    "height_m": "Height of the ground without a DEM",
    "heights": "Heights of the DEM above",
    "remove_mt_speckle": "Multi-temporal speckle filter",
    "to_db": "Values in dB",
    "dtype_output": "Numbers",
    "dtype": "Numbers",
    "minimum_db": "Lowest code",
    "maximum_db": "Highest code",
    "ls_mask": "Mask of layover and shadow",
    "extent": "Extent of the dates",
    "metrics": "Metrics",
    "remove_outliers": "Outliers left out",
    "z_threshold": "Outliers lie beyond",
    "harmonization": "Tracks brought to one level",
    "weighting": "Weights in overlaps",
    "feather_px": "Width of the feather",
    "cut_to_aoi": "Cut to the area",
    "fill_m": "Height in holes of the DEM",
    "stretch": "Stretch",
    "percentiles": "Percentiles of the stretch",
    "composite": "Composite in colours",
    "max_px": "Longest side",
    "seconds_per_frame": "Each date for",
}
_UNITS: Final[dict[str, str | None]] = {"z_threshold": "σ", "seconds_per_frame": "s", "to_db": None}
_ENDS: Final = {"_m": "m", "_db": "dB", "_deg": "°", "_px": "px", "_mb": "MB"}
_LEFT_OUT: Final = (
    "layout", "compress", "block", "threads", "memory_mb", "layers", "limits_db", "title", "looks",
    "target_window_size", "damping", "sigma", "polarization", "polarizations", "speckle_filter",
    "mt_speckle_filter",
)  # fmt: skip
"""What changes no number of the results, or is told elsewhere."""
_OF_CODES: Final = ("minimum_db", "maximum_db")
_FILTERS: Final = {"remove_speckle": "speckle_filter", "remove_mt_speckle": "mt_speckle_filter"}

Row = list[Any]
"""Words, text, unit or None."""


def parameter_groups(said: Mapping[str, Any]) -> list[Json]:
    """Return what a stack is and how it was made: groups of rows of words, text and unit.

    Parameters
    ----------
    said : mapping
        The properties of its STAC item.
    """
    parameters = said.get("alos2:parameters")
    steps = parameters.get("steps") if isinstance(parameters, dict) else None
    groups = [("Stack", list(_stack(said))), ("Grid", list(_grid(said)))]
    for name, step in (steps if isinstance(steps, dict) else {}).items():
        if not isinstance(step, dict):
            continue
        more = {"dem": parameters.get("dem")} if name == "ard" and parameters else {}
        groups.append((_title(str(name)), list(_step(step, more))))
    groups.append(("Made", list(_made(said))))
    return [{"name": name, "rows": rows} for name, rows in groups if rows]


def _stack(said: Mapping[str, Any]) -> Iterator[Row]:
    angle = said.get("alos2:off_nadir_deg")
    rows = (
        ("Kind", {"track": "one track", "mosaic": "mosaic of tracks"}.get(said["alos2:kind"]), None)
        if said.get("alos2:kind")
        else ("Kind", None, None),
        ("Tracks", said.get("alos2:tracks"), None),
        ("Mode", said.get("sar:instrument_mode"), None),
        ("Polarisations", said.get("sar:polarizations"), None),
        ("Pass", _PASS.get(str(said.get("alos2:pass")), said.get("sat:orbit_state")), None),
        (
            "Looks to the",
            _LOOK.get(str(said.get("alos2:look")), said.get("sar:observation_direction")),
            None,
        ),
        ("Off-nadir angle", angle, "°"),
        ("First acquisition", said.get("start_datetime"), "UTC"),
        ("Last acquisition", said.get("end_datetime"), "UTC"),
        ("Acquisitions", len(said.get("alos2:dates") or ()), None),
        ("Left out, as they failed", said.get("alos2:without"), None),
    )
    yield from _known(rows)


def _grid(said: Mapping[str, Any]) -> Iterator[Row]:
    shape, code = said.get("proj:shape"), said.get("proj:code")
    degrees = code == "EPSG:4326"
    yield from _known(
        (
            ("Map projection", code or ("see its WKT" if said.get("proj:wkt2") else None), None),
            ("Lines, pixels", shape, None),
            ("Pixel spacing", said.get("gsd"), "°" if degrees else "m"),
        )
    )


def _made(said: Mapping[str, Any]) -> Iterator[Row]:
    software = said.get("processing:software")
    by = [f"{name} {number}" for name, number in software.items()] if software else None
    yield from _known((("Dataset made", said.get("created"), "UTC"), ("By", by, None)))


def _step(step: Mapping[str, Any], more: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the parameters of a step: its options, and what stands beside them."""
    options = step.get("options")
    options = options if isinstance(options, dict) else {}
    beside = {name: step.get(name) for name in ("heights", "fill_m", "formats")}
    for name, value in {**options, **beside, **more}.items():
        if name in _LEFT_OUT or isinstance(value, dict):
            continue
        if name in _OF_CODES and options.get("dtype_output") == "float32":
            continue
        shown = value
        if name in _FILTERS and value and isinstance(options.get(_FILTERS[name]), dict):
            chosen = options[_FILTERS[name]]
            size = 7 if chosen.get("filter") == "Refined Lee" else chosen.get("window_size")
            shown = f"{chosen.get('filter')}, {size} x {size}"
        label = "Elevation model" if name == "dem" else _WORDS.get(name, _plain(name))
        yield from _known(((label, shown, _unit(name)),))


def _known(rows: Any) -> Iterator[Row]:
    for label, value, unit in rows:
        if value is not None and value not in ("", []):
            yield [label, _text(value), unit]


def _unit(name: str) -> str | None:
    return (
        _UNITS[name]
        if name in _UNITS
        else next((u for end, u in _ENDS.items() if name.endswith(end)), None)
    )


def _title(step: str) -> str:
    head, _, rest = step.partition(" ")
    of = {"Timeseries": "dates", "Timescan": "metrics"}.get(rest, rest)
    return f"{_STEPS.get(head, _plain(head))}{f' of {of}' if of else ''}"


def _plain(name: str) -> str:
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.9g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(one) for one in value)
    return str(value)
