"""Which AWS account there is to work with, as far as this machine knows."""

from __future__ import annotations


def credentials_and_region() -> tuple[str | None, str | None]:
    """Return where credentials come from and the region, None for what is missing.

    No request leaves the machine: the metadata services of EC2 and ECS are left out, and no credential is tried.
    """
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    session = Session()
    try:
        resolver = session.get_component("credential_provider")
        for asks in ("iam-role", "container-role"):
            resolver.remove(asks)
        found = resolver.load_credentials()
        region = session.get_config_variable("region")
    except BotoCoreError:  # a profile that does not exist, a file that cannot be read
        return None, None
    return (found.method if found else None), region
