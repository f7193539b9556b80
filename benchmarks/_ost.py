"""The peer of ``timescan.py``: OpenSarToolkit's ``mt_metrics``, run by a Python that has it.

Arguments: virtual stack, prefix of the results, ``1`` for outlier removal, metrics and dates
(YYMMDD) between commas. Prints seconds and peak memory as JSON. SNAP is not needed for this, but
OpenSarToolkit looks for its ``gpt`` when it is imported: any file will do.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path


def main() -> None:
    stack, prefix, outliers, metrics, dates = sys.argv[1:]
    with tempfile.NamedTemporaryFile() as gpt:
        os.environ["GPT_PATH"] = gpt.name
        warnings.simplefilter("ignore")
        from ost.generic.timescan import mt_metrics  # noqa: PLC0415  it asks for gpt

    import rasterio  # noqa: PLC0415  it is the peer's

    with rasterio.open(stack) as file:
        integers = file.dtypes[0] != "float32"
    start = time.perf_counter()
    found = mt_metrics(
        Path(stack), Path(prefix), metrics.split(","), integers, True, outliers == "1",
        dates.split(","),
    )  # fmt: skip
    seconds = time.perf_counter() - start
    if found[3]:
        raise SystemExit(f"mt_metrics: {found[3]}")
    peak = next(
        int(line.split()[1]) * 1024 / 1e6
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM:")
    )
    print(json.dumps({"seconds": seconds, "peak_rss_mb": peak}))


if __name__ == "__main__":
    main()
