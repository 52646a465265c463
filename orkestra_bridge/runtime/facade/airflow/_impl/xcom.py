"""`airflow.models.XCom`: what tasks of this run pushed, by class methods instead of ``ti``."""

from __future__ import annotations

from typing import Any

XCOM_RETURN_KEY = "return_value"


class BaseXCom:
    """Reads and writes XComs of the running task's run; those of other runs are not there."""

    XCOM_RETURN_KEY = XCOM_RETURN_KEY

    @classmethod
    def set(cls, key: str, value: Any, *_args: Any, **_kwargs: Any) -> None:
        """Push a value as the running task."""
        _running().xcom_push(key=key, value=value)

    @classmethod
    def get_one(
        cls,
        *,
        key: str = XCOM_RETURN_KEY,
        task_id: str | None = None,
        dag_id: str | None = None,
        run_id: str | None = None,
        map_index: int | None = None,
        **_kwargs: Any,
    ) -> Any:
        """Return what a task pushed; raises ValueError for another DAG's or run's."""
        where = {} if map_index is None else {"map_indexes": map_index}
        return _running().xcom_pull(task_ids=task_id, dag_id=dag_id, run_id=run_id, key=key, **where)

    @classmethod
    def get_value(cls, *, ti_key: Any, key: str = XCOM_RETURN_KEY, **_kwargs: Any) -> Any:
        """Return what a task instance pushed, None where it pushed nothing."""
        if ti_key.run_id != _running().run_id:
            return None
        where = {} if ti_key.map_index < 0 else {"map_indexes": ti_key.map_index}
        return _running().xcom_pull(task_ids=ti_key.task_id, key=key, **where)

    @classmethod
    def get_all(cls, key: str, dag_id: str, task_id: str, run_id: str, **_kwargs: Any) -> Any:
        """Return the values of all instances of a mapped task."""
        return _running().xcom_pull(task_ids=[task_id], dag_id=dag_id, run_id=run_id, key=key)

    @staticmethod
    def serialize_value(value: Any, **_kwargs: Any) -> Any:
        from orkestra_bridge.runtime import serde

        return serde.encode(value)

    @staticmethod
    def deserialize_value(result: Any) -> Any:
        from orkestra_bridge.runtime import serde

        return serde.decode(getattr(result, "value", result))


XCom = BaseXCom


def _running() -> Any:
    from airflow._impl.current import get_current_context

    return get_current_context()["ti"]
