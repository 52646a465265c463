SELECT * FROM {{ params.table }} WHERE day = '{{ ds }}';
