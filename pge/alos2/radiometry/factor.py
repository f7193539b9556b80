"""Calibration by one factor: CEOS products.

* Levels 1.5, 2.1, 3.1: sigma0 [dB] = 10 log10(<DN^2>) + CF
* Level 1.1: sigma0 [dB] = 10 log10(<I^2 + Q^2>) + CF - 32.0

CF is in the leader's radiometric record (-83.0 dB since 2014-11-20, standard deviation 0.406 dB).
Source: JAXA, "Calibration result of ALOS-2/PALSAR-2 JAXA standard products".

A ``Factor`` says where it comes from, and whoever knows better than the leader (JAXA has published
exceptions for some products) hands in a ``Factor`` of his own: nothing below reads a constant.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from alos2.constants import CALIBRATION_FACTOR_DB, SLC_CALIBRATION_OFFSET_DB
from alos2.errors import BadProduct
from alos2.radiometry.power import Reals, from_db, to_db
from alos2.types import Level


class Factor(NamedTuple):
    """What is added to the power of the digital numbers in dB to give sigma nought."""

    db: float
    """dB; for level 1.1 JAXA's -32 dB is already in it."""
    source: str
    """Who says so: ``leader``, ``default``, or words for another origin."""


def factor_for(
    level: Level, leader_factor_db: float | None, *, instead: Factor | None = None
) -> Factor:
    """Calibration factor that holds for a CEOS product.

    Parameters
    ----------
    level : {"1.1", "1.5", "2.1", "3.1"}
        Processing level.
    leader_factor_db : float or None
        Calibration factor of the leader's radiometric record, dB; None or 0 where it is blank.
    instead : Factor, optional
        A published exception for this product, as JAXA gives it (without the -32 dB of level 1.1);
        it goes before the leader's.

    Returns
    -------
    Factor
        With level 1.1's offset added, and the source of the number.

    Raises
    ------
    BadProduct
        If the factor is not a number, or cannot be one (JAXA's lie near -83 dB).
    """
    if instead is not None:
        db, source = instead
    elif leader_factor_db:
        db, source = leader_factor_db, "leader"
    else:
        db, source = CALIBRATION_FACTOR_DB, "default"
    if not np.isfinite(db) or not -200.0 < db < 100.0:
        raise BadProduct(f"a calibration factor of {db} dB (from {source}) cannot be one")
    return Factor(db + SLC_CALIBRATION_OFFSET_DB if level == "1.1" else db, source)


def sigma0(dn_power: Reals, factor_db: float) -> Reals:
    """Linear sigma nought.

    Parameters
    ----------
    dn_power : ndarray
        ``DN^2`` or ``I^2 + Q^2``, single samples or means of them; NaN where there is no data.
    factor_db : float
        As ``Factor.db``.

    Returns
    -------
    ndarray, same shape and dtype
        Linear; NaN stays.
    """
    return np.asarray(dn_power * dn_power.dtype.type(from_db(factor_db)), dtype=dn_power.dtype)


def sigma0_db(dn_power: ArrayLike, factor_db: float) -> Reals:
    """Sigma nought in dB.

    Parameters
    ----------
    dn_power : array_like
        *Means* of ``DN^2`` or ``I^2 + Q^2``: the logarithm of single samples only where speckle
        may stay.
    factor_db : float
        As ``Factor.db``.

    Returns
    -------
    ndarray, float32 if given such, else float64
        dB; NaN where the power is NaN or zero.
    """
    db = to_db(dn_power)
    return np.asarray(db + db.dtype.type(factor_db), dtype=db.dtype)
