"""Stage 3: Workflow -> state machine.

Input: a `Workflow` whose tasks all have an operator family. Output: `Lowered`: the definition, counts and findings.
May not import Airflow or boto3, nor touch the disk, nor add a state that no task or join needs.
"""
