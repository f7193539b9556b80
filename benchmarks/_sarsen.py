"""The peer of ``flatten.py``: sarsen, by a Python that has it.

Called with an input (.npz) and an output (.npz); writes there the seconds of its geocoding and of
its area model, and the area of each cell. What is timed are sarsen's own functions, as its
``terrain_correction`` calls them, on arrays in memory; imports and files are not.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import rioxarray  # noqa: F401  sarsen's scene needs it to be there
import xarray as xr
from sarsen import apps, geocoding, orbit, radiometry, scene

LIGHT_M_S = 299_792_458.0


def nanoseconds(seconds: float) -> np.timedelta64:
    return np.timedelta64(round(seconds * 1e9), "ns")


def main() -> None:
    given = np.load(sys.argv[1])
    epoch = np.datetime64("2020-01-01T00:00:00", "ns")
    times = epoch + np.array([nanoseconds(t) for t in given["times_s"]])
    position = xr.DataArray(
        given["positions_m"],
        dims=("azimuth_time", "axis"),
        coords={"azimuth_time": times, "axis": [0, 1, 2]},
    )
    interpolator = orbit.OrbitPolyfitInterpolator.from_position(position)
    x, y = given["x"], given["y"]
    raster = xr.DataArray(given["heights"], dims=("y", "x"), coords={"y": y, "x": x}, name="dem")
    raster = raster.isel(y=slice(None, None, -1))
    if given["finer"] > 1:
        raster = scene.upsample(raster, x=int(given["finer"]), y=int(given["finer"]))

    start = time.perf_counter()
    ecef = scene.convert_to_dem_ecef(raster, source_crs=str(given["crs"]))
    radar = geocoding.backward_geocode(ecef, interpolator)
    slant = (radar.dem_distance**2).sum(dim="axis") ** 0.5
    radar["slant_range_time"] = 2.0 / LIGHT_M_S * slant
    geocoded = time.perf_counter()
    radar["gamma_area"] = radiometry.compute_gamma_area(ecef, radar.dem_distance / slant)
    weights = radiometry.gamma_weights_bilinear(
        radar[["azimuth_time", "slant_range_time", "gamma_area"]],
        slant_range_time0=float(given["range0_m"]) * 2.0 / LIGHT_M_S,
        azimuth_time0=epoch + nanoseconds(float(given["time0_s"])),
        slant_range_time_interval_s=float(given["range_m"]) * 2.0 / LIGHT_M_S,
        azimuth_time_interval_s=float(given["time_s"]),
        slant_range_spacing_m=float(given["range_m"]),
        azimuth_spacing_m=float(given["azimuth_m"]),
    ).compute()
    done = time.perf_counter()
    area = weights.transpose("y", "x").values[::-1]
    seconds = (radar.azimuth_time.values[::-1] - epoch) / np.timedelta64(1, "ns") * 1e-9
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    np.savez(
        sys.argv[2],
        geocoding_s=geocoded - start,
        area_s=done - geocoded,
        area=area,
        time_s=seconds,
        slant_m=slant.values[::-1],
        peak_mb=peak_mb,
    )


if __name__ == "__main__":
    if not hasattr(apps, "simulate_acquisition"):
        sys.exit("this is not the sarsen that is meant")
    main()
