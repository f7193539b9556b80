"""What boto3 says when something fails, in words that help, and as errors of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from alos2.causes import cause_of, causes_of
from alos2.errors import Alos2Error, NoResource, NoSpace, PublishFailed

_REFUSALS: Final = (
    (
        {"NoSuchBucket"},
        "does not exist",
        "make the bucket, or mend its name",
    ),
    (
        {
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "ExpiredToken",
            "InvalidToken",
            "TokenRefreshRequired",
        },
        "does not accept the credentials",
        "check the AWS profile or the AWS_... variables, and the clock",
    ),
    (
        {"AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "403"},
        "forbids it",
        "the account needs to list, get, put and delete objects there",
    ),
    (
        {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch"},
        "did not get what was read from the dataset",
        "the dataset may have changed meanwhile; run the same command again",
    ),
    (
        {"PermanentRedirect", "AuthorizationHeaderMalformed", "301"},
        "is in another region",
        "set AWS_REGION, or mend the endpoint",
    ),
)
"""Codes of S3, what they mean, what to do."""

_FULL: Final = {
    "QuotaExceeded",
    "XMinioStorageFull",
    "XMinioAdminBucketQuotaExceeded",
    "InsufficientStorage",
    "507",
}
NOT_SO: Final = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
"""What S3 says when a condition of a request is not given."""

NOT_KNOWN: Final = {"NotImplemented", "501"}
"""What older services say to conditions."""

_BUSY: Final = {"SlowDown", "ServiceUnavailable", "503"}


@contextmanager
def s3_faults(where: str) -> Iterator[None]:
    """Turn the errors of boto3 into ours; a body that was stopped keeps its own.

    Parameters
    ----------
    where : str
        The bucket and its address, for messages.
    """
    # Imported late: boto3 comes with an extra.
    from botocore import exceptions  # noqa: PLC0415

    try:
        yield
    except exceptions.ClientError as error:
        raise _of_answer(error.response, where) from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise PublishFailed(
            f"there are no credentials for {where}",
            hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role",
        ) from error
    except exceptions.SSLError as error:
        raise PublishFailed(
            f"{where}: its certificate is not trusted",
            hint="name the authority's certificate by AWS_CA_BUNDLE",
        ) from error
    except exceptions.EndpointConnectionError as error:
        raise PublishFailed(
            f"{where} cannot be reached: {cause_of(error)}",
            hint="check its address and the network",
        ) from error
    except (exceptions.HTTPClientError, exceptions.BotoCoreError) as error:
        ours = _ours(error)
        if ours is not None:
            raise ours from None
        raise PublishFailed(
            f"{where}: {cause_of(error)}", hint="run the same command again"
        ) from error


def _of_answer(response: Any, where: str) -> Alos2Error:
    told = response.get("Error", {})
    code = str(told.get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in _FULL or status == 507:
        return NoSpace(f"{where} has no space left ({code})", hint="make room there")
    if code in _BUSY:
        return NoResource(f"{where} is too busy ({code})", hint="run the same command again later")
    for codes, sentence, hint in _REFUSALS:
        if code in codes:
            return PublishFailed(f"{where} {sentence} ({code})", hint=hint)
    if status == 403:
        return PublishFailed(f"{where} forbids it ({code})")
    return PublishFailed(f"{where} answers {status} {code}: {told.get('Message', '')}")


def code_of(error: Alos2Error) -> str:
    """Return S3's own code of what `s3_faults` raised; empty where S3 did not answer."""
    response = getattr(error.__cause__, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _ours(error: BaseException) -> Alos2Error | None:
    return next((e for e in causes_of(error) if isinstance(e, Alos2Error)), None)
