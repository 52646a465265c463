"""The small `airflow` that DAG files see inside a Lambda package.

Input: the imports of a DAG file, spelled as in Airflow 2 or 3. Output: DAG, operators and helpers that load as Airflow's
do (ids, edges, default arguments) and run as Airflow's do. It holds no scheduler, database or web server; a name that is
not here fails with an ImportError that says so. It may import `orkestra_bridge.runtime`, never the reverse at load time.
"""

from airflow._impl import finder as _finder

_finder.install(globals())
