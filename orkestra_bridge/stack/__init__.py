"""Workflow, state machine definition and packages -> a CloudFormation template with all that runs them.

Input: `Workflow`, the ASL from lowering, asset keys from packaging. Output: `Stack` (template, schedule,
findings), the same for the same input. May not read DAG files, call AWS or look at the clock; only `cdk.py`
may import `aws_cdk`.
"""
