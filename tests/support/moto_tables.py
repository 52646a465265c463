"""Tables as the templates have them, on moto."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orkestra_bridge.stack.states import state_table

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def moto_table(name: str) -> Iterator[Any]:
    """Be where there is a table for what tasks store, with this name; give the client that made it."""
    import boto3
    from moto import mock_aws

    with mock_aws():
        client = boto3.client(
            "dynamodb", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none"
        )
        made = state_table()["Properties"]
        names = ("KeySchema", "AttributeDefinitions", "BillingMode")
        client.create_table(TableName=name, **{each: made[each] for each in names})
        yield client
        client.delete_table(TableName=name)  # other tests of this process may have moto's tables open
