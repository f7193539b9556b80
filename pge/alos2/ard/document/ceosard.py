"""What a scene meets of CEOS-ARD's specification for normalised radar backscatter, as data.

Every requirement is listed with its threshold ("must") and goal, each met or not, why, and where
in the item it is answered. A scene that met all thresholds would still be no CEOS-ARD product: that
name is given after an assessment and its peer review, so ``conforms`` is always false.

Source: CEOS-ARD Product Family Specification, Normalised Radar Backscatter, version 5.5 (then
called CARD4L); identifiers of the requirements as of CEOS-ARD's present edition.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, TypeAlias

from alos2.ard.document.made import Made
from alos2.types import Json

SPECIFICATION: Final = "CEOS-ARD Normalised Radar Backscatter (NRB)"
VERSION: Final = "5.5"
URL: Final = "https://ceos.org/ard/files/PFS/NRB/v5.5/CARD4L-PFS_NRB_v5.5.pdf"

Answer: TypeAlias = Literal["met", "not met", "not required"]


class Requirement(NamedTuple):
    """One requirement, answered."""

    identifier: str
    threshold: Answer
    goal: Answer
    reason: str
    """Why something is not met; empty where all is."""
    found_in: tuple[str, ...] = ()
    """Properties and assets of the item that answer it."""


def ceos_ard(made: Made, item: Json) -> Json:
    """Return the whole list for a scene.

    Parameters
    ----------
    made
        The scene.
    item
        Its STAC item, all but this.
    """
    requirements = [
        *_general(made),
        *_source(item),
        *_product(made),
        *_per_pixel(made),
        *_measurement(made),
        *_geometry(made),
    ]
    unmet = [r.identifier for r in requirements if r.threshold == "not met"]
    return {
        "specification": SPECIFICATION,
        "version": VERSION,
        "url": URL,
        "conforms": False,
        "why_not": "not assessed and peer reviewed as CEOS-ARD; thresholds that are not met: "
        + (", ".join(unmet) or "none"),
        "requirements": [
            {
                "id": requirement.identifier,
                "threshold": requirement.threshold,
                "goal": requirement.goal,
                "reason": requirement.reason or None,
                "found_in": list(requirement.found_in),
            }
            for requirement in requirements
        ],
    }


def _met(condition: bool) -> Answer:
    return "met" if condition else "not met"


def _both(identifier: str, *found_in: str) -> Requirement:
    return Requirement(identifier, "met", "met", "", found_in)


def _goal_only(identifier: str, condition: bool, reason: str, *found_in: str) -> Requirement:
    return Requirement(
        identifier,
        "not required",
        _met(condition),
        "" if condition else reason,
        found_in if condition else (),
    )


def _general(made: Made) -> Iterator[Requirement]:
    yield _goal_only(
        "meta.metadata-traceability-sar", False, "traceability to SI is not documented"
    )
    yield Requirement(
        "meta.metadata-machine-readability", "met", "met", "", ("STAC 1.1 item, JSON",)
    )
    yield _both("meta.metadata-product-type-sar", "product:type", "alos2:product_type")
    yield _both("meta.metadata-pfs-url", "alos2:ceos_ard.url")
    yield _both("meta.metadata-time", "alos2:sources", "start_datetime", "end_datetime")
    del made


_SAID: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("src.metadata-acquisition-id", ("acquisition_id",)),
    ("src.metadata-time-source", ("start_datetime",)),
    (
        "src.metadata-acquisition-parameters-sar",
        (
            "sar:frequency_band",
            "sar:center_frequency",
            "sar:instrument_mode",
            "sar:polarizations",
            "sar:observation_direction",
            "sar:beam_ids",
        ),
    ),
    (
        "src.metadata-processing-parameters",
        (
            "facility",
            "processed",
            "software_version",
            "level",
            "product",
            "sar:looks_azimuth",
            "sar:looks_range",
        ),
    ),
    (
        "src.metadata-image-attributes-sar",
        (
            "geometry",
            "sar:pixel_spacing_azimuth",
            "sar:pixel_spacing_range",
            "sar:resolution_azimuth",
            "sar:resolution_range",
            "near_incidence_deg",
            "far_incidence_deg",
        ),
    ),
)
"""Requirements on each source, and what answers them where the delivery says it."""


def _source(item: Json) -> Iterator[Requirement]:
    sources = item["properties"]["alos2:sources"]

    def lacking(keys: tuple[str, ...]) -> list[str]:
        return sorted({key for s in sources for key in keys if s.get(key) is None})

    for identifier, keys in _SAID:
        missing = lacking(keys)
        goal = identifier in ("src.metadata-acquisition-id", "src.metadata-time-source")
        goal |= identifier == "src.metadata-acquisition-parameters-sar"
        reason = f"the delivery does not say {', '.join(missing)}" if missing else ""
        if not missing and not goal:
            reason = "goal: bandwidths, tables and outlines of the sources are not listed"
        yield Requirement(
            identifier,
            _met(not missing),
            _met(goal and not missing),
            reason,
            tuple(f"alos2:sources[].{key}" for key in keys if key not in missing),
        )
    yield Requirement(
        "src.metadata-data-access-source",
        "not met",
        "not met",
        "where the product was retrieved from is not known here, only its name and files",
        ("alos2:sources[].files",),
    )
    yield Requirement(
        "src.metadata-instrument",
        "met",
        "not met",
        "goal: no reference to the CEOS database of missions",
        ("platform", "instruments"),
    )
    missing = lacking(("sat:orbit_state", "orbit_precision"))
    vectors = lacking(("sat:orbit_state_vectors", "view:azimuth"))
    yield Requirement(
        "src.metadata-orbit",
        _met(not missing),
        "not met",
        f"the delivery does not say {', '.join(missing)}"
        if missing
        else "goal: the mean altitude is not listed"
        + (f", nor does the delivery say {', '.join(vectors)}" if vectors else ""),
        ("alos2:sources[].sat:orbit_state", "alos2:sources[].orbit_precision"),
    )
    yield _goal_only(
        "src.metadata-sensor-calibration",
        all(
            used["source"] != "default" for used in item["properties"]["alos2:calibration"].values()
        ),
        "the delivery does not say its calibration factor",
        "alos2:calibration",
    )
    yield Requirement(
        "src.metadata-performance-indicators",
        "not met",
        "not met",
        "the noise equivalent sigma nought is not in the products and is not estimated",
    )
    for name in ("polarimetric-calibration-matrices", "mean-faraday-rotation-angle"):
        yield _goal_only(f"src.metadata-{name}", False, "not in the products read here")
    yield _goal_only("src.metadata-ionosphere-indicator", False, "not estimated")


def _product(made: Made) -> Iterator[Requirement]:
    yield Requirement(
        "prd.metadata-data-access-product",
        "not met",
        "not met",
        "facility, date of processing and address are for who publishes it: files made of the same "
        "input are the same bytes",
        ("processing:software",),
    )
    yield _goal_only(
        "prd.metadata-auxiliary-data", made.dem is not None, "no DEM was used", "alos2:dem"
    )
    yield _both("prd.metadata-sample-spacing", "proj:transform", "gsd")
    yield _goal_only(
        "prd.metadata-enl",
        bool(made.speckle),
        "the equivalent number of looks was not estimated",
        "alos2:speckle_filter.looks",
    )
    yield _goal_only("prd.metadata-resolution", False, "the resolution is not estimated")
    filtered = made.options.remove_speckle and made.options.speckle_filter.filter != "None"
    documented = not filtered or made.options.speckle_filter.filter not in ("Boxcar", "Median")
    yield Requirement(
        "prd.metadata-speckle-filtering",
        _met(documented),
        _met(documented),
        "" if documented else "no reference for a filter as plain as this",
        ("alos2:speckle_filter", "alos2:options"),
    )
    yield _both("prd.metadata-bounding-box", "proj:bbox")
    yield _both("prd.metadata-footprint", "geometry")
    yield _both("prd.metadata-image-size", "proj:shape")
    yield _both("prd.metadata-pixel-coordinate-convention", "alos2:pixel_coordinates")
    yield _both("prd.metadata-crs", "proj:code" if made.grid.epsg is not None else "proj:wkt2")
    yield _goal_only("prd.metadata-orbit-reference-nrb-pol", False, "there is no flattened phase")


def _per_pixel(made: Made) -> Iterator[Requirement]:
    flags = made.recipe.layover_shadow != "none"
    yield _both("pxl.metadata-machine-readability", "assets")
    yield Requirement(
        "pxl.per-pixel-data-mask",
        _met(flags),
        _met(flags),
        "" if flags else "layover and shadow are not told from valid data",
        ("assets.mask", "alos2:mask_values"),
    )
    yield _goal_only(
        "pxl.per-pixel-scattering-area",
        made.recipe.correction == "area" and "area" in made.layers,
        "the scattering area is not given, or not what the backscatter was normalised by",
        "assets.area",
    )
    angle = "lia" in made.layers
    yield Requirement(
        "pxl.per-pixel-local-incident-angle",
        _met(angle),
        _met(angle),
        "" if angle else "no DEM, or the layer was not asked for",
        ("assets.lia",) if angle else (),
    )
    yield _goal_only(
        "pxl.per-pixel-ellipsoidal-incident-angle",
        "ei" in made.layers,
        "the layer was not made",
        "assets.ei",
    )
    yield _goal_only("pxl.per-pixel-noise-power", False, "noise is neither estimated nor removed")
    yield _goal_only(
        "pxl.per-pixel-gamma-sigma-ratio",
        "gs" in made.layers,
        "the layer was not made",
        "assets.gs",
    )
    yield Requirement(
        "pxl.per-pixel-acquisition-id",
        "not required",
        "not met",
        "required of products of several acquisitions only: all frames are of one pass",
    )
    yield _goal_only("pxl.per-pixel-dem", False, "the DEM is not given along")


def _measurement(made: Made) -> Iterator[Requirement]:
    recipe = made.recipe
    yield Requirement(
        "rcm.measurements-backscatter-nrb",
        _met(recipe.flattened),
        _met(recipe.flattened),
        "" if recipe.flattened else f"it is {recipe.quantity}, not flattened",
        tuple(f"assets.{pol}" for pol in made.polarizations),
    )
    yield _both("rcm.metadata-scaling-conversion", "alos2:db_equation")
    yield _both("rcm.metadata-noise-removal", "alos2:noise_removal")
    yield Requirement(
        "rcm.corrections-radiometric-terrain-correction",
        _met(recipe.flattened),
        _met(recipe.flattened),
        "" if recipe.flattened else "terrain was not flattened",
        ("alos2:correction",) if recipe.flattened else (),
    )
    yield _goal_only("rcm.metadata-radiometric-accuracy", False, "no document of uncertainty")
    yield _goal_only("rcm.measurements-flattened-phase", False, "backscatter only")


def _geometry(made: Made) -> Iterator[Requirement]:
    yield _goal_only(
        "gcor.metadata-geometric-correction-algorithm",
        made.recipe.orthorectified,
        "not orthorectified",
        "alos2:geometric_correction",
        "alos2:resampling",
    )
    same = made.dem is not None and made.frames[0].level in ("1.1", "1.5")
    by_jaxa = made.recipe.correction == "delivered"
    yield Requirement(
        "gcor.corrections-dem",
        _met(made.recipe.orthorectified and made.recipe.flattened and (same or by_jaxa)),
        "not met",
        "goal: resolution and resampling of the DEM are not compared"
        if same or by_jaxa
        else "no DEM, or not the one that JAXA orthorectified with",
        ("alos2:dem",),
    )
    yield Requirement(
        "gcor.corrections-geometric-accuracy-radar",
        "not met",
        "not met",
        "the absolute location error was not assessed",
    )
    yield _goal_only("gcor.corrections-geometric-refined-accuracy", False, "not refined")
    snapped = bool(made.grid.epsg)
    yield Requirement(
        "gcor.corrections-gridding-convention",
        "met",
        "not met",
        "goal: no address of the convention" if snapped else "goal: no common map",
        ("alos2:gridding", "proj:transform"),
    )
