"""What botocore's errors mean to who asked for an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore import exceptions as aws
from urllib3.exceptions import HTTPError

from alos2.causes import cause_of
from alos2.errors import Alos2Error, LoginFailed, NothingFound, TransferFailed, UsageError
from alos2.sources.hosturl import said_by
from alos2.sources.remote import Changed, Passing
from alos2.sources.session import asked_wait_s

FAULTS: Final = (aws.BotoCoreError, aws.ClientError, aws.HTTPClientError, HTTPError, OSError)

_LOGIN: Final = frozenset({
    "AccessDenied", "AccountProblem", "AllAccessDisabled", "AuthorizationHeaderMalformed",
    "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidSecurity",
    "InvalidToken", "NotSignedUp", "SignatureDoesNotMatch", "TokenRefreshRequired",
    "UnauthorizedAccess",
})  # fmt: skip
_GONE: Final = frozenset({"NoSuchKey", "NoSuchBucket", "NoSuchVersion", "MethodNotAllowed"})
_BUSY: Final = frozenset({
    "BandwidthLimitExceeded", "InternalError", "OperationAborted", "RequestLimitExceeded",
    "RequestTimeout", "RequestTimeoutException", "ServiceUnavailable", "SlowDown", "Throttling",
    "ThrottlingException", "TooManyRequestsException",
})  # fmt: skip
_FINAL: Final = {
    "RequestTimeTooSkewed": "this computer's clock is wrong: set it",
    "InvalidObjectState": "the object is archived: have it restored first",
}
_NO_LOGIN: Final = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.UnauthorizedSSOTokenError,
    aws.SSOTokenLoadError,
    aws.TokenRetrievalError,
)
_SETTINGS: Final = (
    aws.ProfileNotFound,
    aws.ConfigParseError,
    aws.ConfigNotFound,
    aws.ParamValidationError,
    aws.NoRegionError,
    aws.InvalidRegionError,
    aws.InvalidEndpointConfigurationError,
)


def fault(error: Exception, where: str) -> Exception:
    """Return what `error` means; `where` is who is spoken to."""
    if isinstance(error, aws.ClientError):
        return _answered(error.response, where)
    return _final(error, where) or _passing(error)


def _final(error: Exception, where: str) -> Exception | None:
    """Return what will not be better next time; None where it may."""
    if isinstance(error, _NO_LOGIN):
        return LoginFailed(
            f"there are no AWS credentials that can be used for {where}: {said_by(error)}",
            hint="log in (aws sso login), or give a profile, AWS_PROFILE or AWS_ACCESS_KEY_ID",
        )
    if isinstance(error, (*_SETTINGS, ValueError)):
        return UsageError(
            f"{where} cannot be asked with these settings: {said_by(error)}",
            hint="check the URL, AWS_PROFILE, AWS_REGION and the endpoint",
        )
    if isinstance(error, aws.SSLError):
        return TransferFailed(
            f"no safe connection to {where}: {cause_of(_inner(error))}",
            hint="name the site's own CA file in AWS_CA_BUNDLE or REQUESTS_CA_BUNDLE; TLS is never "
            "switched off",
        )
    return None


def _passing(error: Exception) -> Passing:
    if isinstance(error, (aws.EndpointConnectionError, aws.ConnectTimeoutError)):
        return Passing(f"no connection: {cause_of(_inner(error))}")
    if isinstance(error, aws.ReadTimeoutError):
        return Passing("nothing came for too long")
    return Passing(f"the transfer broke off ({cause_of(_inner(error))})")


def _inner(error: BaseException) -> BaseException:
    """Return the error that botocore has wrapped in a keyword."""
    kept = getattr(error, "kwargs", {}).get("error")
    return kept if isinstance(kept, BaseException) else error


def _answered(response: Mapping[str, Any], where: str) -> Exception:
    """Tell what an answer with an error means, by its code first and its status then."""
    meta, told = response.get("ResponseMetadata", {}), response.get("Error", {})
    status, code = int(meta.get("HTTPStatusCode", 0)), str(told.get("Code", ""))
    parts = (str(status or ""), code, told.get("Message") or "")
    words = said_by(" ".join(dict.fromkeys(parts)))  # of HEAD the code is the status again
    if status == 412 or code == "PreconditionFailed":
        return Changed("the object has changed where it lies")
    if code in _BUSY or status == 429 or status >= 500:
        headers = {k.title(): str(v) for k, v in meta.get("HTTPHeaders", {}).items()}
        return Passing(f"answered {words}", asked_wait_s(headers))
    kind, hint = _refused(status, code)
    return kind(f"{where} answered {words}", hint=hint)


def _refused(status: int, code: str) -> tuple[type[Alos2Error], str | None]:
    if code in _FINAL:
        return TransferFailed, _FINAL[code]
    if code in _GONE or status in (404, 405, 410):
        return NothingFound, "check bucket and key; keys are written as they are"
    if code in _LOGIN or status in (401, 403):
        return LoginFailed, "check whose credentials these are, and what the bucket allows them"
    return TransferFailed, None
