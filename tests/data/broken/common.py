"""Names that moved between Airflow 2 and 3."""

try:
    from airflow.sdk import BaseHook, Variable, task
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.providers.standard.operators.empty import EmptyOperator
except ImportError:
    from airflow.decorators import task
    from airflow.hooks.base import BaseHook
    from airflow.models import Variable
    from airflow.operators.bash import BashOperator
    from airflow.operators.empty import EmptyOperator
