"""What a translation would be like, without packaging anything: per DAG how its tasks run, what differs, what blocks it.

Input: DAG files, like `convert`. Output: an `Assessment`, and its forms for people and for programs: text, JSON,
Markdown, SARIF and HTML. Writes nothing itself. What only the finished package shows (missing
imports, its size) is not known here.
"""
