"""A run on this machine: the emitted state machine and the built Lambda package, nothing else.

Input: ``OUT/<dag_id>/state_machine.asl.json`` and ``OUT/<dag_id>/functions/tasks.zip``. Output: the states
and XComs of all tasks, a log per task and the events of the execution. May not import Airflow, nor read
anything that `convert` did not write: what runs here is what would be deployed.
"""
