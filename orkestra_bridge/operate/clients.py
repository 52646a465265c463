"""Clients of AWS with the user's profile and region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable


def clients(
    *, region: str | None = None, profile: str | None = None, endpoint_url: str | None = None
) -> Callable[[str], Any]:
    """Return a function that gives the client for a service, each made once.

    Raises AwsError if there is no such profile, or, when a client is made, no region.
    """
    import boto3
    from botocore.exceptions import BotoCoreError

    made: dict[str, Any] = {}
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
    except BotoCoreError as problem:
        raise AwsError(str(problem), remedy="name a profile of `aws configure list-profiles`") from None

    def client(service: Any) -> Any:
        if service not in made:
            try:
                made[service] = session.client(service, endpoint_url=endpoint_url)
            except (BotoCoreError, ValueError) as problem:
                raise AwsError(str(problem), remedy="check --region and --endpoint-url") from None
        return made[service]

    return client
