"""The angular slope model: terrain flattening from angles alone.

Vollrath, Mullissa and Reiche, "Angular-Based Radiometric Slope Correction for Sentinel-1 on Google
Earth Engine", Remote Sensing 12(11):1867 (2020), doi 10.3390/rs12111867, with two models of what
scatters: a volume whose density does not depend on the slope (Hoekman and Reiche 2015), and a
surface (Ulander 1996).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

AngularModel: TypeAlias = Literal["volume", "surface"]


def angular_factor(
    theta_i_rad: npt.ArrayLike,
    alpha_r_rad: npt.ArrayLike,
    alpha_az_rad: npt.ArrayLike,
    model: AngularModel = "volume",
) -> npt.NDArray[np.float64]:
    """How much brighter a slope is than level ground of the same kind.

    Parameters
    ----------
    theta_i_rad : array_like
        Incidence on level ground, radians.
    alpha_r_rad : array_like
        Slope in range, radians: positive where the ground rises away from the radar, and so faces
        it.
    alpha_az_rad : array_like
        Slope in azimuth, radians, of any sign.
    model
        ``volume`` for forest, ``surface`` for bare ground.

    Returns
    -------
    ndarray, float64
        Factor by which gamma nought is divided to become that of level ground. NaN in active
        layover (alpha_r >= theta_i) and active shadow (alpha_r <= theta_i - 90 degrees), and where
        an angle is NaN.
    """
    theta, slope, aside = (
        np.asarray(v, dtype=np.float64) for v in (theta_i_rad, alpha_r_rad, alpha_az_rad)
    )
    local = theta - slope
    seen = (local > 0.0) & (local < 0.5 * np.pi)
    with np.errstate(invalid="ignore", divide="ignore"):
        if model == "volume":
            factor = np.tan(theta) / np.tan(local)
        else:
            factor = np.sin(theta) / (np.cos(aside) * np.sin(local))
    made: npt.NDArray[np.float64] = np.where(seen, factor, np.nan)
    return made
