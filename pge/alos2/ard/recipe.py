"""What is made of a scene: decided before anything is computed, from what there is to go by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from alos2.ard.options import EXTRA_LAYERS, ArdOptions, LayerName
from alos2.ard.terrain.view import INCIDENCE_ERROR_DEG
from alos2.errors import UsageError
from alos2.product.model import Product

Correction: TypeAlias = Literal["none", "ellipsoid", "area", "angular", "delivered"]
"""How calibrated power becomes the product: as it is (sigma nought), gamma nought by the incidence
on the ellipsoid, terrain-flattened by area or by angles, or flattened by JAXA already."""

_LEADER: Final = "give a CEOS leader of the same scene ([stack.leaders] of a stack)"
_ORTHORECTIFIED: Final = ("2.1", "2.2")


@dataclass(frozen=True)
class Recipe:
    """What is made, and what is to be said about it."""

    correction: Correction
    layers: tuple[LayerName, ...]
    """Those that can be had of those that are wanted."""
    layover_shadow: Literal["none", "sweep", "delivered"]
    """Where layover and shadow in the mask come from."""
    radar_geometry: bool
    """Whether any of it needs to know from where the radar looked."""
    orthorectified: bool
    """Whether the ground lies where it is, at its height."""
    geometry: str
    """How the image was brought to the map, in words."""
    notes: tuple[str, ...]

    @property
    def flattened(self) -> bool:
        """Whether terrain is taken out of the backscatter."""
        return self.correction in ("area", "angular", "delivered")

    @property
    def quantity(self) -> str:
        """What the power is, in words."""
        if self.correction == "none":
            return "sigma nought"
        return "terrain-flattened gamma nought" if self.flattened else "gamma nought"


def choose_recipe(frames: Sequence[Product], options: ArdOptions, *, dem: bool) -> Recipe:
    """Decide what is made of the frames of a pass.

    Parameters
    ----------
    frames
        As of `joining.one_pass`.
    options
        What is wanted.
    dem
        Whether there are heights.

    Raises
    ------
    UsageError
        What is wanted cannot be made of these, and nothing less is what was meant.
    """
    first = frames[0]
    orbit = first.orbit is not None
    ortho = first.level in _ORTHORECTIFIED or (orbit and dem)
    notes = list(_geometry_notes(first, options, dem=dem))
    correction = _correction(first, options, dem=dem, ortho=ortho)
    if correction == "angular" and options.flattening == "auto":
        notes.append(
            "terrain flattening by the angular model: without an orbit the area model cannot be "
            "used (a leader of the same scene may be given)"
        )
    if first.level == "2.2":
        notes.append(
            "level 2.2 is terrain-flattened gamma nought by JAXA, and was not flattened again"
        )
    layers = _layers(first, options, dem=dem, notes=notes)
    flags = _layover_shadow(first, options, dem=dem, notes=notes)
    looked = bool(layers) or flags == "sweep" or correction not in ("none", "delivered")
    if looked and not orbit and _has_view(first):
        notes.append(
            "angles of incidence come from the off-nadir angle and the nominal orbit, to within "
            f"{INCIDENCE_ERROR_DEG:g} degrees"
        )
    return Recipe(
        correction,
        layers,
        flags,
        looked and _has_view(first),
        ortho,
        _geometry_words(first, dem=dem),
        tuple(notes),
    )


def _correction(product: Product, options: ArdOptions, *, dem: bool, ortho: bool) -> Correction:
    name = f"{product.scene}-{product.product}"
    if product.level == "2.2":
        if options.product_type != "RTC-gamma0":
            raise UsageError(
                f"{name} is terrain-flattened gamma nought, which cannot be turned back into "
                f"{options.product_type}",
                hint="ask for RTC-gamma0, or give level 1.1, 1.5 or 2.1 of the scene",
            )
        return "delivered"
    if options.product_type == "GTC-sigma0":
        return "none"
    if not _has_view(product):
        raise UsageError(
            f"{name}: {options.product_type} needs angles of incidence, and the product has "
            "neither an orbit nor an off-nadir angle",
            hint=f"{_LEADER}, or ask for GTC-sigma0",
        )
    if options.product_type == "GTC-gamma0":
        return "ellipsoid"
    if not dem:
        raise UsageError(
            f"{name}: RTC-gamma0 needs a digital elevation model, and none is given",
            hint="give a DEM, or ask for GTC-gamma0",
        )
    if not ortho:
        raise UsageError(
            f"{name}: RTC-gamma0 needs the ground where it is, but level {product.level} without "
            "an orbit cannot be orthorectified",
            hint=f"{_LEADER}, or ask for GTC-gamma0",
        )
    if product.orbit is None and options.flattening == "area":
        raise UsageError(
            f"{name}: the area model needs an orbit, and a GeoTIFF delivery has none",
            hint=f"{_LEADER}, or flattening 'angular'",
        )
    if options.flattening == "auto":
        return "angular" if product.orbit is None else "area"
    return options.flattening


def _has_view(product: Product) -> bool:
    """Whether it can be told from where the radar looked, if only by nominal values."""
    return product.orbit is not None or product.sensor.off_nadir_deg is not None


def _layers(
    product: Product, options: ArdOptions, *, dem: bool, notes: list[str]
) -> tuple[LayerName, ...]:
    reasons: dict[LayerName, str] = {}
    if not _has_view(product):
        reasons = dict.fromkeys(EXTRA_LAYERS, "an orbit or an off-nadir angle")
    elif not dem:
        reasons |= {"lia": "a DEM", "area": "a DEM", "gs": "a DEM"}
    elif product.orbit is None:
        reasons["area"] = "an orbit"
    if any(file.kind == "LIN" for file in product.files):  # level 2.2 brings its own
        reasons.pop("lia", None)
        reasons.pop("gs", None)
    for reason in dict.fromkeys(reasons.values()):
        without = [layer for layer in options.layers if reasons.get(layer) == reason]
        if without:
            notes.append(f"left out, as it needs {reason}: {', '.join(without)}")
    return tuple(layer for layer in options.layers if layer not in reasons)


def _layover_shadow(
    product: Product, options: ArdOptions, *, dem: bool, notes: list[str]
) -> Literal["none", "sweep", "delivered"]:
    if not options.create_ls_mask:
        return "none"
    if any(file.kind == "MSK" for file in product.files):
        return "delivered"
    if dem and _has_view(product):
        return "sweep"
    lacking = "an orbit or an off-nadir angle" if dem else "a DEM"
    if options.apply_ls_mask:
        raise UsageError(
            f"layover and shadow cannot be masked without {lacking}",
            hint="give it, or switch apply_ls_mask off",
        )
    notes.append(f"the mask knows nothing of layover and shadow: that needs {lacking}")
    return "none"


def _geometry_notes(product: Product, options: ArdOptions, *, dem: bool) -> list[str]:
    if product.level in _ORTHORECTIFIED:
        return []
    if product.orbit is None:
        height = f", at a height of {options.height_m:g} m" if product.level == "1.1" else ""
        return [
            (
                f"not orthorectified: level {product.level} {product.format} has no orbit and is "
                f"used as it lies{height}; ground at height h is displaced by about "
                "h / tan(incidence) towards the track (a CEOS leader of the same scene may be "
                "given)"
            )
        ]
    if not dem:
        where = (
            f"all ground is taken to be at {options.height_m:g} m above the ellipsoid"
            if product.level == "1.1"
            else "it lies as JAXA projected it, as if all ground were on the ellipsoid"
        )
        return [f"not orthorectified, as no DEM is given: {where}"]
    return []


def _geometry_words(product: Product, *, dem: bool) -> str:
    if product.level in _ORTHORECTIFIED:
        return f"orthorectified by JAXA (level {product.level})"
    if product.orbit is None:
        return "as it was delivered, not orthorectified"
    if product.level == "1.1":
        return f"range-Doppler geocoding, {'with a DEM' if dem else 'at a constant height'}"
    if dem:
        return "orthorectified: from ground range on the ellipsoid by range-Doppler with a DEM"
    return "as it was delivered, on the ellipsoid"
