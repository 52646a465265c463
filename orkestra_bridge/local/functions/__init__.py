"""Lambda on this machine: warm worker processes behind the Lambda Runtime API on loopback.

Input: an unzipped package and events. Output: answers and errors in AWS's form, and a log per invocation.
POSIX only. May not know about state machines (except `tasks.py`, which answers their Task states).
`worker.py` runs in other processes and stands alone.

Not isolated: workers see this machine's files and network with the rights of the user.
"""
