from airflow import DAG


def price(table, name):
    return table[name]


dag = DAG("raises", schedule=None)
price({}, "gold")
