"""Stage 2: Workflow -> Workflow, a file per pass, and the accounting of attributes.

Input and output: a `Workflow`, and findings. May not mutate its input, import Airflow or touch the disk.
"""
