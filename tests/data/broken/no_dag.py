"""Mentions airflow and dag, and has none."""
