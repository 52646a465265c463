"""How each operator family runs: a registry and a file per family.

Input: a `Task`. Output: the `Family` that lowering turns into a state, or a finding that says why there is none.
May not import Airflow; classes are known by their qualified names, in every Airflow's spelling.
"""
