from __future__ import annotations

from orkestra_bridge.frontend.worker_lookups import Lookups


def test_a_value_found_by_one_backend_is_not_forgotten() -> None:
    lookups = Lookups()
    lookups.record("variable", "bucket", None)
    lookups.record("variable", "bucket", "my-bucket")
    lookups.record("variable", "bucket", None)
    assert lookups.missing("Variable bucket does not exist") == []
    assert lookups.names("variable") == ["bucket"]


def test_missing_names_are_recognised_by_airflows_wording_only() -> None:
    lookups = Lookups()
    lookups.record("variable", "env", None)
    lookups.record("connection", "db", None)
    assert lookups.missing("'Variable env does not exist'") == ["variable", "env"]
    assert lookups.missing("The conn_id `db` isn't defined") == ["connection", "db"]
    assert lookups.missing("environment is not ready") == []
    lookups.clear()
    assert lookups.names("variable") == lookups.names("connection") == []


def test_every_secret_in_a_value_is_known() -> None:
    lookups = Lookups()
    lookups.record("variable", "conf", '{"key": ["deep-secret"]}')
    lookups.record("connection", "db", "postgres://me:p%40ss@host/x?token=abc")
    lookups.record("connection", "api", '{"conn_type": "http", "password": "json-pass"}')
    assert {"deep-secret", "p@ss", "abc", "json-pass", "me"} <= set(lookups.values())
