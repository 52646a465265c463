"""Operators that no Lambda function runs: they can be made, so that a file with other DAGs in it loads, not executed."""

from __future__ import annotations

from enum import Enum
from typing import Any

from airflow._impl.exceptions import AirflowException
from airflow._impl.operator import BaseOperator
from airflow._impl.sensor import BaseSensorOperator
from airflow._impl.triggers import BaseEventTrigger


def _base_arguments() -> frozenset[str]:
    from airflow._impl.operator import ARGUMENTS

    return frozenset({*ARGUMENTS, "templates_dict", "templates_exts", "show_return_value_in_logs"})


_BASE = _base_arguments()


class FileSensor(BaseSensorOperator):
    """Waits for a file on a disk that all workers share."""

    template_fields: Any = ("filepath",)

    def __init__(
        self,
        *,
        filepath: Any,
        fs_conn_id: str = "fs_default",
        recursive: bool = False,
        deferrable: bool = False,
        start_from_trigger: bool = False,
        trigger_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filepath = filepath
        self.fs_conn_id = fs_conn_id
        self.recursive = recursive
        self.deferrable = deferrable
        self.start_from_trigger = start_from_trigger
        self.trigger_kwargs = trigger_kwargs

    def poke(self, context: Any) -> Any:
        raise AirflowException(
            f"{self.task_type} does not run in the task runtime: there is no disk to share"
        )


class FileTrigger(BaseEventTrigger):
    """Looks for a file on the triggerer's disk; watchers of assets name it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.given = kwargs

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"airflow.providers.standard.triggers.file.{type(self).__name__}", self.given

    async def run(self) -> Any:
        raise AirflowException(
            f"{type(self).__name__} does not run in the task runtime: there is no disk to share"
        )
        yield


class FileDeleteTrigger(FileTrigger): ...


class DirectoryFileDeleteTrigger(FileTrigger): ...


class SkippedStatePropagationOptions(Enum):
    """When a sub-DAG's skipped tasks skip what follows it."""

    ALL_LEAVES = "all_leaves"
    ANY_LEAF = "any_leaf"


class SubDagOperator(BaseSensorOperator):
    """Runs another DAG as if it were a task; Airflow 3 has it no longer."""

    def __init__(
        self,
        *,
        subdag: Any,
        session: Any = None,  # Airflow's own argument
        conf: dict[str, Any] | None = None,
        propagate_skipped_state: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.subdag = subdag
        self.conf = conf
        self.propagate_skipped_state = propagate_skipped_state

    def poke(self, context: Any) -> Any:
        raise AirflowException(f"{self.task_type} does not run in the task runtime: make it a TaskGroup")


class HITLOperator(BaseOperator):
    """Waits for a person's answer on Airflow's pages."""

    template_fields: Any = ("subject", "body")

    def __init__(self, **kwargs: Any) -> None:
        base = {name: kwargs.pop(name) for name in list(kwargs) if name in _BASE}
        super().__init__(**base)
        self.subject = self.body = None
        self.__dict__.update(kwargs)

    def execute(self, context: Any) -> Any:
        raise AirflowException(f"{self.task_type} does not run in the task runtime: nobody can answer there")


class ApprovalOperator(HITLOperator): ...


class HITLBranchOperator(HITLOperator): ...


class HITLEntryOperator(HITLOperator): ...
