import os

from airflow.providers.acme.cloud_store.hooks.bucket import BucketHook
