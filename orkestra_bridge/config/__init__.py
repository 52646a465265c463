"""A project's configuration: `orkestra.toml`, or `[tool.orkestra-bridge]` in pyproject.toml.

Input: a file, and the fields that it may have. Output: values and overrides, each with the place where it is written.
Knows nothing of the command line; what the fields are is told to it, so that there is one list of options.
"""
