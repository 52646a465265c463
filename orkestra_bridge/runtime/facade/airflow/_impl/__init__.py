"""Where the classes of the facade are written; DAG files reach them through the paths in `paths.py`."""
