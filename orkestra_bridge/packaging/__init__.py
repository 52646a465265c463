"""Fourth stage: one Lambda package per DAG, and the layer with what it imports from elsewhere.

Input: a workflow, the DAG file it came from, the environment that parsed it and the target.
Output: deterministic zip bytes with the user's own source, the runtime and a manifest (`build.py`),
requirements with versions (`requirements.py`), a layer for the target (`layer.py`), the proof that it loads
(`preflight.py`). May not import Airflow, boto3 or user code in this process: `isolation.py` and
`preflight_worker.py` run in others.
"""
