"""The STAC item of a scene: what it is, what it was made of and how, and what CEOS-ARD asks for.

It says nothing of when it was made, so that the same input makes the same bytes.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from pyproj import CRS

from alos2 import __version__
from alos2.ard.document.ceosard import ceos_ard
from alos2.ard.document.made import Made
from alos2.ard.document.sources import source_json
from alos2.ard.grid import GridPlaces, is_snapped_to_mgrs
from alos2.ard.joining import span
from alos2.ard.layers import MASK_VALUES, TITLES, UNITS
from alos2.dataset.assets import file_asset, size_and_sha256
from alos2.dataset.fields import (
    LOOK_WORDS,
    PASS_WORDS,
    grid_bbox,
    sar_fields,
    sat_fields,
    view_fields,
)
from alos2.dataset.jsontext import plain, plain_geometry
from alos2.dataset.stac import STAC_VERSION, observation_time
from alos2.dataset.times import utc_text
from alos2.dataset.validate import extension_uri, validate_item
from alos2.geometry.rings import bbox
from alos2.types import Json

_COG_TYPE: Final = "image/tiff; application=geotiff; profile=cloud-optimized"
_EXTENSIONS: Final = ("sar", "sat", "projection", "processing", "product", "raster", "file")
_OF_ONE_IMAGE: Final = (
    "sar:pixel_spacing_range",
    "sar:pixel_spacing_azimuth",
    "sar:looks_range",
    "sar:looks_azimuth",
    "sar:resolution_range",
    "sar:resolution_azimuth",
)
"""True of the sources, and not of cells of a map."""
_NOT_SAID: Final = ("threads", "memory_mb")
"""Options that change nothing in the result."""
_FILTER_DOIS: Final = {
    "Lee": "10.1109/TPAMI.1980.4766994",
    "Refined Lee": "10.1016/S0146-664X(81)80018-4",
    "Lee Sigma": "10.1109/TGRS.2008.2002881",
    "Frost": "10.1109/TPAMI.1982.4767223",
    "Gamma Map": "10.1109/IGARSS.1990.689026",
}


def build_item(made: Made) -> Json:
    """Return the STAC item of a scene whose layers are written.

    Raises
    ------
    BadDocument
        A layer cannot be read, or the item does not keep to the schemas: a fault of ours.
    """
    geometry = plain_geometry(made.geometry)
    properties = {
        **_common(made),
        **_fields(made),
        **_projection(made),
        **{f"alos2:{name}": value for name, value in _own(made).items()},
    }
    names = [*_EXTENSIONS]
    if any(key.startswith("view:") for key in properties):
        names.append("view")
    item: Json = {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": sorted(extension_uri(name) for name in names),
        "id": made.name,
        "geometry": geometry,
        "bbox": [round(float(value), 8) + 0.0 for value in bbox(geometry)],
        "properties": plain(properties),
        "links": [],
        "assets": {layer: _asset(made, layer) for layer in made.layers},
    }
    item["properties"]["alos2:ceos_ard"] = plain(ceos_ard(made, item))
    validate_item(item)
    return item


def observed_at(made: Made) -> datetime:
    """Return the middle of the observation."""
    times = [observation_time(product) for product in made.frames]
    return times[0] + (times[-1] - times[0]) / 2


def _common(made: Made) -> Json:
    first = made.frames[0]
    start, end = span(made.frames)
    look, goes = LOOK_WORDS[first.look], PASS_WORDS[first.pass_direction]
    frames = ", ".join(product.scene.frame for product in made.frames)
    pols = "/".join(made.polarizations)
    return {
        "datetime": utc_text(observed_at(made)),
        "start_datetime": utc_text(start),
        "end_datetime": utc_text(end),
        "title": made.name,
        "description": (
            f"ALOS-2 PALSAR-2 {made.options.product_type} ({pols}) of level {first.level} "
            f"{first.mode}, {goes}, looking {look}, path {first.scene.path}, frame {frames}"
        ),
        "license": "other",
        "providers": [
            {
                "name": "Japan Aerospace Exploration Agency (JAXA)",
                "roles": ["producer", "licensor"],
                "url": "https://www.eorc.jaxa.jp/ALOS-2/en/",
            }
        ],
        "platform": "alos-2",
        "constellation": "alos",
        "instruments": ["palsar-2"],
        "gsd": round(max(GridPlaces(made.grid).spacing_m()), 3),
    }


def _fields(made: Made) -> Json:
    first = made.frames[0]
    sar = {key: value for key, value in sar_fields(first).items() if key not in _OF_ONE_IMAGE}
    sat = {
        key: value for key, value in sat_fields(first).items() if key != "sat:orbit_state_vectors"
    }
    return {
        **sar,
        "sar:polarizations": list(made.polarizations),
        **sat,
        **view_fields(first),
        "processing:level": "L2",
        "processing:software": {"alos2-ingest": __version__},
        "processing:lineage": _lineage(made),
        "product:type": made.options.product_type,
        "product:acquisition_type": "nominal",
    }


def _lineage(made: Made) -> str:
    recipe = made.recipe
    steps = [
        f"calibrated power of level {made.frames[0].level}",
        *([f"{len(made.frames)} frames joined"] if len(made.frames) > 1 else []),
        recipe.geometry,
        f"resampled: {made.resampling.words}",
        recipe.quantity,
    ]
    if made.options.remove_speckle and made.options.speckle_filter.filter != "None":
        steps.append(f"speckle filter {made.options.speckle_filter.filter}")
    return "; ".join(steps)


def _projection(made: Made) -> Json:
    grid = made.grid
    fields: Json = {"proj:code": None if grid.epsg is None else f"EPSG:{grid.epsg}"}
    if grid.epsg is None:
        fields["proj:wkt2"] = str(CRS.from_wkt(grid.crs_wkt).to_wkt("WKT2_2019"))
    return fields | {
        "proj:shape": list(grid.shape),
        "proj:transform": [float(value) for value in grid.transform],
        "proj:bbox": grid_bbox(grid),
    }


def _own(made: Made) -> Json:
    recipe, options = made.recipe, made.options
    chosen = {key: value for key, value in asdict(options).items() if key not in _NOT_SAID}
    filtered = options.remove_speckle and options.speckle_filter.filter != "None"
    return {
        "type": "alos2_ard",
        "notes": list(recipe.notes),
        "path": made.frames[0].scene.path,
        "orbit": made.frames[0].scene.orbit,
        "frames": [product.scene.frame for product in made.frames],
        "level": made.frames[0].level,
        "look": made.frames[0].look,
        "pass": made.frames[0].pass_direction,
        "product_type": options.product_type,
        "quantity": recipe.quantity,
        "correction": recipe.correction,
        "orthorectified": recipe.orthorectified,
        "geometric_correction": recipe.geometry,
        "resampling": made.resampling.words,
        "incidence_error_deg": made.incidence_error_deg,
        "calibration": {
            pol: {"factor_db": used.factor_db, "source": used.source}
            for pol, used in made.calibrations.items()
        },
        "dem": None if made.dem is None else _dem(made),
        "height_m": options.height_m if made.dem is None else None,
        "speckle_filter": {
            "applied": filtered,
            "filter": options.speckle_filter.filter if filtered else None,
            "doi": _FILTER_DOIS.get(options.speckle_filter.filter) if filtered else None,
            "window_size": options.speckle_filter.window_size if filtered else None,
            "looks": {pol: round(known.looks, 3) for pol, known in made.speckle.items()},
        },
        "noise_removal": False,
        "pixel_coordinates": "upper left corner",
        "gridding": {
            "snapped_to_mgrs": is_snapped_to_mgrs(made.grid),
            "convention": "corner at whole multiples of the spacing from the map's origin",
        },
        "db_equation": "10 * log10(value)",
        "mask_values": {str(value): words for value, words in MASK_VALUES.items()},
        "options": chosen,
        "sources": [source_json(p, number) for number, p in enumerate(made.frames, 1)],
    }


def _dem(made: Made) -> Json:
    dem: Any = made.dem
    return {"name": dem.name, "heights": dem.heights_from, "filled_with_m": dem.fill_m}


def _asset(made: Made, layer: str) -> Json:
    path = made.layers[layer]
    size, digest = size_and_sha256(path)
    is_mask, is_power = layer == "mask", layer not in TITLES
    unit = "linear power" if is_power else UNITS[layer]
    band: Json = {
        "name": layer,
        "data_type": "uint8" if is_mask else "float32",
        "nodata": 0 if is_mask else "nan",
        "raster:bits_per_sample": 8 if is_mask else 32,
        "raster:sampling": "area",
        **({"unit": unit} if unit else {}),
        **({"sar:polarizations": [layer]} if is_power else {}),
    }
    return file_asset(
        path.name,
        size,
        digest,
        _COG_TYPE,
        title=f"{layer}, {made.recipe.quantity}, linear power" if is_power else TITLES[layer],
        roles=["data"] if is_power else ["metadata", "mask" if is_mask else layer],
        bands=[band],
        **{"alos2:layer": layer},
    )
