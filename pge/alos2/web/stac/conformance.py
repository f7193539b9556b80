"""What the API conforms to, as its landing page says."""

from __future__ import annotations

from typing import Final

_STAC: Final = "https://api.stacspec.org/v1.0.0"
_FEATURES: Final = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
_FILTERS: Final = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf"
_CQL2: Final = "http://www.opengis.net/spec/cql2/1.0/conf"

CONFORMANCE: Final = (
    f"{_STAC}/core",
    f"{_STAC}/collections",
    f"{_STAC}/ogcapi-features",
    f"{_STAC}/item-search",
    "https://api.stacspec.org/v1.0.0-rc.1/item-search#sort",
    "https://api.stacspec.org/v1.0.0-rc.1/item-search#fields",
    "https://api.stacspec.org/v1.0.0-rc.3/item-search#filter",
    "https://api.stacspec.org/v1.0.0-rc.1/item-search#free-text",
    "https://api.stacspec.org/v1.0.0-rc.1/ogcapi-features#sort",
    "https://api.stacspec.org/v1.0.0-rc.1/ogcapi-features#fields",
    f"{_FEATURES}/core",
    f"{_FEATURES}/geojson",
    f"{_FEATURES}/oas30",
    f"{_FILTERS}/filter",
    f"{_FILTERS}/features-filter",
    f"{_FILTERS}/queryables",
    f"{_CQL2}/cql2-text",
    f"{_CQL2}/cql2-json",
    f"{_CQL2}/basic-cql2",
    f"{_CQL2}/advanced-comparison-operators",
    f"{_CQL2}/case-insensitive-comparison",
    f"{_CQL2}/accent-insensitive-comparison",
    f"{_CQL2}/basic-spatial-functions",
    f"{_CQL2}/basic-spatial-functions-plus",
    f"{_CQL2}/spatial-functions",
    f"{_CQL2}/temporal-functions",
    f"{_CQL2}/array-functions",
    f"{_CQL2}/property-property",
    f"{_CQL2}/arithmetic",
)
