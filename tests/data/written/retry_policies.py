# ruff: noqa: DTZ001
"""Tasks whose retry_policy decides about another try; Airflow has it since 3.3."""

from datetime import datetime, timedelta

from airflow import DAG
from airflow.operators.python import PythonOperator
from airflow.version import version

ARGS = {"start_date": datetime(2024, 1, 1), "schedule": None, "catchup": False}
SOON = timedelta(seconds=1)


class RefusedError(ConnectionError):
    pass


def fails(error, until, ti):
    ti.xcom_push(key="seen", value=ti.try_number)
    if ti.try_number < until:
        raise {"refused": RefusedError, "value": ValueError, "key": KeyError}[error]("on purpose")
    return ti.try_number


if not version.startswith("2."):
    from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryDecision, RetryPolicy, RetryRule

    class Twice(RetryPolicy):
        """One more try, whatever `retries` says, and none at all after a KeyError."""

        def evaluate(self, exception, try_number, max_tries, context=None):
            if isinstance(exception, KeyError):
                return RetryDecision.fail(f"{context['ti'].task_id} has no such key")
            if try_number >= 2:
                return RetryDecision(action=RetryAction.FAIL)
            return RetryDecision.retry(delay=SOON)

        def serialize(self):
            return {}

    class Broken(Twice):
        def evaluate(self, exception, try_number, max_tries, context=None):
            raise RuntimeError("the policy itself")

    RULES = ExceptionRetryPolicy(
        rules=[
            RetryRule(exception=ConnectionError, retry_delay=SOON),
            RetryRule(exception="builtins.KeyError", action=RetryAction.FAIL, reason="no use"),
            RetryRule(exception=["nowhere.Nothing", "builtins.ValueError"], match_subclasses=False),
        ]
    )

    with DAG("retry_policies", **ARGS):

        def op(task_id, error, until, policy=RULES, retries=3):
            return PythonOperator(
                task_id=task_id,
                python_callable=fails,
                op_args=[error, until],
                retries=retries,
                retry_delay=SOON,
                retry_policy=policy,
            )

        op("subclass", "refused", 3)
        op("no_use", "key", 3) >> op("never", "key", 1)
        op("by_rule", "value", 2)
        op("exhausted", "refused", 9, retries=1)
        op("own", "value", 9, Twice())
        op("own_fails", "key", 2, Twice())
        op("own_succeeds", "value", 2, Twice())
        op("broken", "value", 3, Broken())
        op("by_default", "value", 2, ExceptionRetryPolicy([], default=RetryAction.FAIL))
        op("no_retries", "refused", 2, retries=0)
        PythonOperator.partial(
            task_id="mapped",
            python_callable=fails,
            retries=2,
            retry_delay=SOON,
            retry_policy=RULES,
        ).expand(op_args=[["refused", 2], ["key", 2], ["value", 4]])
