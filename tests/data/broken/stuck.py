import signal
import time

from airflow import DAG

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
time.sleep(600)
