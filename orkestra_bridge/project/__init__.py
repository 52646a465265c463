"""What surrounds a project's DAG files: files with Variables, connections and environment, and folders of modules.

Input: paths that the user named. Output: values for a process's environment, and folders for its module path. Values are
read here and given on; nothing in this folder prints or writes one.
"""
