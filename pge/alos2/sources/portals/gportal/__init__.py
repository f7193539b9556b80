"""JAXA's G-Portal: search without a login, download with one; its old and its new site.

The two sites are the profiles ``gportal-2026`` (the default) and ``gportal-legacy``.
"""

from alos2.sources.portals.gportal.portal import GPortal
from alos2.sources.portals.gportal.profiles import PROFILES

__all__ = ["PROFILES", "GPortal"]
