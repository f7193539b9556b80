"""The one family of errors, with the exit code that each ends a program with.

A class name is short (HySDS shows the first 20 characters as the failure's facet), the message
says what and where, and ``hint`` says what to do about it. Messages never hold a secret.

Exit codes: 0 done · 1 internal · 2 usage · 3 bad product or archive · 4 login · 5 transfer ·
6 nothing found · 7 publish or catalogue · 8 some done, some failed · 9 no space or other
resource · 130/143 interrupted.
"""

from __future__ import annotations

from typing import ClassVar


class Alos2Error(Exception):
    """Base of all errors that this project raises on purpose.

    Parameters
    ----------
    message : str
        One sentence: what is wrong, and where.
    hint : str, optional
        One sentence: what to do about it.
    """

    exit_code: ClassVar[int] = 1
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message

    @property
    def short(self) -> str:
        """``ClassName: message``, for one line of a log or HySDS's failure facet."""
        return f"{type(self).__name__}: {self}"


class BadDocument(Alos2Error):
    """A document that this program made breaks its specification: our fault, not the product's."""

    default_hint = "this is a fault of alos2-ingest; please report it with the product's name"


class UsageError(Alos2Error):
    """The command line, the environment or a job's parameters ask for something impossible."""

    exit_code = 2


class BadProduct(Alos2Error):
    """A product is damaged, incomplete or contradicts itself."""

    exit_code = 3
    default_hint = "order or download the product again"


class BadName(BadProduct):
    """A file or folder name is not one that JAXA gives to ALOS-2 products."""

    default_hint = "keep the names as JAXA delivered them"


class BadRecord(BadProduct):
    """A CEOS record or one of its fields cannot be read."""


class BadSummary(BadProduct):
    """summary.txt cannot be read."""


class NotSupported(BadProduct):
    """A product that is recognised and not handled: another satellite, level or layout."""

    default_hint = "only ALOS-2/PALSAR-2 levels 1.1, 1.5, 2.1 and 3.1 are handled"


class NoProduct(BadProduct):
    """A folder or archive holds no ALOS-2 product."""

    default_hint = "give the folder or zip that holds the IMG-... files"


class BadArchive(BadProduct):
    """A zip cannot be read or is not safe to unpack."""

    default_hint = "download the archive again"


class UnsafeArchive(BadArchive):
    """A zip breaks a rule or limit of safe unpacking."""

    default_hint = "if you trust its origin, raise the limit that it names"


class DatasetDiffers(BadProduct):
    """A dataset of this id is already there, made from other content."""

    default_hint = "use --force to replace it, or another --out"


class LoginFailed(Alos2Error):
    """A provider refused the credentials, or sent its login page instead of a product."""

    exit_code = 4


class TransferFailed(Alos2Error):
    """Bytes did not arrive, or not the right ones."""

    exit_code = 5
    default_hint = "run the same command again"


class NothingFound(Alos2Error):
    """What was asked for does not exist."""

    exit_code = 6


class PublishFailed(Alos2Error):
    """A dataset could not be published or catalogued."""

    exit_code = 7


class SomeFailed(Alos2Error):
    """Of several things asked for, some were done and some failed."""

    exit_code = 8


class NoResource(Alos2Error):
    """Disk space, memory or another resource is missing."""

    exit_code = 9


class NoSpace(NoResource):
    """The disk has too little free space for what would be written."""

    default_hint = "free some disk space, or use --out (work_dir of a stack) on a larger disk"


class Interrupted(Alos2Error):
    """The work was stopped from outside (Ctrl-C)."""

    exit_code = 130
    default_hint = "run the same command again"


class Terminated(Interrupted):
    """The work was stopped from outside (SIGTERM)."""

    exit_code = 143
