"""What ships inside the Lambda packages and runs one Airflow task per invocation.

Input: the event of a task state (task id, run document, ledger of finished tasks, attempt) and the unpacked package
(`manifest.json`, `source/`). Output: the ledger entry of the task, or the exception that failed it.

It may not import anything but the standard library when it is loaded (jinja2, pendulum, croniter and boto3 only where a
task needs them), nor any other part of `orkestra_bridge`: only this folder is in the package.
"""
