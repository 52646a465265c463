import ctypes

from airflow import DAG


def read_null():
    ctypes.string_at(0)


read_null()
