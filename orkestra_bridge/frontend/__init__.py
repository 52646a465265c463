"""DAG files to workflows.

Input: paths that the user names and an Airflow environment. Output: `LoadedFile` values, each with the
workflows and findings of one DAG file. Airflow itself is imported in a worker process only (`worker*.py`, a
program of its own that runs under the environment's Python and may not import this package); no module here
may import Airflow, and nothing here may write below the folders that it reads.
"""
