"""PythonVirtualenvOperator and its kin: the function runs in an environment of its own, which is made beforehand."""

from __future__ import annotations

import os
from typing import Any

from airflow._impl.exceptions import AirflowException, AirflowSkipException
from airflow._impl.python import (
    BranchPythonOperator,
    KeywordParameters,
    PythonOperator,
    ShortCircuitOperator,
)
from airflow._impl.settings import SETTINGS
from airflow._impl.taskflow import _PythonDecoratedOperator

# fmt: off
_PLAIN = frozenset(
    {
        "ds", "ds_nodash", "expanded_ti_count", "inlets", "outlets", "run_id", "task_instance_key_str", "test_mode", "ts",
        "ts_nodash", "ts_nodash_with_tz", "next_ds", "next_ds_nodash", "prev_ds", "prev_ds_nodash", "tomorrow_ds",
        "tomorrow_ds_nodash", "yesterday_ds", "yesterday_ds_nodash", "task_reschedule_count", "partition_key",
    }
)
_MOMENTS = frozenset(
    {
        "data_interval_end", "data_interval_start", "logical_date", "prev_data_interval_end_success",
        "prev_data_interval_start_success", "prev_start_date_success", "prev_end_date_success", "execution_date",
        "next_execution_date", "prev_execution_date", "prev_execution_date_success", "partition_date",
    }
)
# fmt: on


class PythonVirtualenvOperator(PythonOperator):
    template_fields: Any = ("index_urls", "requirements", "venv_cache_path", *PythonOperator.template_fields)
    template_ext: Any = (".txt",)

    def __init__(
        self,
        *,
        python_callable: Any,
        requirements: Any = None,
        python_version: Any = None,
        use_dill: bool = False,
        serializer: Any = None,
        system_site_packages: bool = True,
        pip_install_options: Any = None,
        op_args: Any = None,
        op_kwargs: Any = None,
        string_args: Any = None,
        templates_dict: Any = None,
        templates_exts: Any = None,
        expect_airflow: bool = True,
        expect_pendulum: bool = True,
        skip_on_exit_code: Any = None,
        index_urls: Any = None,
        index_urls_from_connection_ids: Any = None,
        venv_cache_path: Any = None,
        use_airflow_context: bool = False,
        env_vars: Any = None,
        inherit_env: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            python_callable=python_callable,
            op_args=op_args,
            op_kwargs=op_kwargs,
            templates_dict=templates_dict,
            templates_exts=templates_exts,
            **kwargs,
        )
        self.requirements = requirements if isinstance(requirements, str) else list(requirements or [])
        self.system_site_packages = system_site_packages
        self.string_args = string_args or []
        self.serializer = serializer or ("dill" if use_dill else "pickle")
        codes = skip_on_exit_code
        self.skip_on_exit_code = [] if codes is None else [codes] if isinstance(codes, int) else codes
        self.index_urls = index_urls
        self.venv_cache_path = venv_cache_path
        self.env_vars = env_vars
        self.inherit_env = inherit_env

    def execute(self, context: Any) -> Any:
        self._environment = context["ti"].environment
        keys = _PLAIN | (_MOMENTS if self._has_pendulum() else frozenset())
        serializable = {name: context[name] for name in context if name in keys}
        serializable["params"] = dict(context["params"])
        return PythonOperator.execute(self, serializable)

    def _has_pendulum(self) -> bool:
        if self.system_site_packages and not (self._environment or {}).get("python"):
            return True
        return any("pendulum" in str(line) for line in self.requirements)

    def determine_kwargs(self, context: Any) -> Any:
        return KeywordParameters.determine(self.python_callable, self.op_args, context).unpacking()

    def execute_callable(self) -> Any:
        from orkestra_bridge.runtime.environments import FunctionFailed, call

        variables = {**(os.environ if self.inherit_env else {}), **(self.env_vars or {})}
        try:
            value = call(
                self.python_callable,
                (list(self.op_args), dict(self.op_kwargs)),
                environment=self._environment,
                decorator=getattr(self, "custom_operator_name", ""),
                serializer=self.serializer,
                strings=list(self.string_args),
                variables=variables,
                system=self.system_site_packages,
                path=(SETTINGS.dags_folder,),
                show=self.log.info,
            )
        except FunctionFailed as failed:
            if failed.code in self.skip_on_exit_code:
                raise AirflowSkipException(f"Process exited with code {failed.code}. Skipping.") from None
            text = f"Process returned non-zero exit status {failed.code}.\n{failed.reason}"
            raise AirflowException(text) from None
        if 0 in self.skip_on_exit_code:
            raise AirflowSkipException("Process exited with code 0. Skipping.")
        return value


class BranchPythonVirtualenvOperator(BranchPythonOperator, PythonVirtualenvOperator):
    def choose_branch(self, context: Any) -> Any:
        return PythonVirtualenvOperator.execute(self, context)


class ShortCircuitVirtualenvOperator(ShortCircuitOperator, PythonVirtualenvOperator): ...


class ExternalPythonOperator(PythonVirtualenvOperator):
    """Its environment is made of what the interpreter has that it names."""

    template_fields: Any = ("python", *PythonOperator.template_fields)
    template_ext: Any = PythonOperator.template_ext

    def __init__(self, *, python: Any, expect_pendulum: bool = False, **kwargs: Any) -> None:
        super().__init__(expect_pendulum=expect_pendulum, **kwargs)
        self.python = python

    def _has_pendulum(self) -> bool:
        if self._environment is None:
            return True
        return any(line.startswith("pendulum==") for line in self._environment["requirements"])


class BranchExternalPythonOperator(BranchPythonOperator, ExternalPythonOperator):
    def choose_branch(self, context: Any) -> Any:
        return ExternalPythonOperator.execute(self, context)


class _PythonVirtualenvDecoratedOperator(_PythonDecoratedOperator, PythonVirtualenvOperator):
    template_fields: Any = PythonVirtualenvOperator.template_fields
    custom_operator_name = "@task.virtualenv"


class _BranchPythonVirtualenvDecoratedOperator(_PythonDecoratedOperator, BranchPythonVirtualenvOperator):
    template_fields: Any = BranchPythonVirtualenvOperator.template_fields
    custom_operator_name = "@task.branch_virtualenv"


class _PythonExternalDecoratedOperator(_PythonDecoratedOperator, ExternalPythonOperator):
    template_fields: Any = ExternalPythonOperator.template_fields
    custom_operator_name = "@task.external_python"


class _BranchExternalPythonDecoratedOperator(_PythonDecoratedOperator, BranchExternalPythonOperator):
    template_fields: Any = BranchExternalPythonOperator.template_fields
    custom_operator_name = "@task.branch_external_python"


DECORATED = {
    "external_python": _PythonExternalDecoratedOperator,
    "branch_external_python": _BranchExternalPythonDecoratedOperator,
    "virtualenv": _PythonVirtualenvDecoratedOperator,
    "branch_virtualenv": _BranchPythonVirtualenvDecoratedOperator,
}
