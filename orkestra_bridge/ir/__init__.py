"""The intermediate representation: what a DAG is, without Airflow.

Input: the frontend's answer. Output: frozen dataclasses with a JSON form (`serialize.py`) and a text form (`pprint.py`).
May not import Airflow, boto3 or the CDK, nor touch the disk.
"""
