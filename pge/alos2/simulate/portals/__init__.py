"""Small loopback servers that speak the portals' protocols over simulated deliveries.

They are for ``alos2 demo --portals`` and, with TLS and faults added, for the tests. They speak what
is known of each portal and nothing more; they are no portals: one account, kept in memory.
"""

from alos2.simulate.portals.auig2 import Auig2Server
from alos2.simulate.portals.gportal import CatalogueServer, WebPortalServer
from alos2.simulate.portals.offer import Account, Offer, invented_account
from alos2.simulate.portals.sentinel_asia import SentinelAsiaServer
from alos2.simulate.portals.server import Answer, PortalServer, Request

__all__ = [
    "Account",
    "Answer",
    "Auig2Server",
    "CatalogueServer",
    "Offer",
    "PortalServer",
    "Request",
    "SentinelAsiaServer",
    "WebPortalServer",
    "invented_account",
]
