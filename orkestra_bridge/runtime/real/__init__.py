"""Tasks that Airflow itself runs, in a container whose image has it: for what the facade cannot stand in for.

Input and output are those of `runtime/execution.py`: an event with the ledger, and the entry of the task or its error.
Nothing of Airflow is imported before a task needs it, and the facade is never on the path of such a process. There is no
metadata database behind it: Airflow 3's task code asks a supervisor, who is played here, and Airflow 2's gets a database
of its own that lives as long as the container.
"""
