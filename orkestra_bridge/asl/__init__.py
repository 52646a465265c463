"""Amazon States Language as data: typed states, their JSON form and our own validator.

Input: nothing but what lowering decides. Output: `Machine`, rendered by `render.py`, examined by `check.py`.
May not know about Airflow or about files.
"""
