"""The command line: wiring only, a file per command.

Results go to stdout, everything else to stderr. Commands are imported when they are used, so that ``--help`` is quick.
"""
