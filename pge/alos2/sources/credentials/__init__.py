"""Accounts at portals and servers: found in one order, shown nowhere, refused only once.

``require("auig2", host="auig2.jaxa.jp")`` gives a `Credential` or says where it has looked.
"""

from __future__ import annotations

from alos2.sources.credentials.model import Credential
from alos2.sources.credentials.refused import login_attempt
from alos2.sources.credentials.resolve import Choice, require, resolve
from alos2.sources.credentials.secret import Secret, hide_cookies

__all__ = ["Choice", "Credential", "Secret", "hide_cookies", "login_attempt", "require", "resolve"]
