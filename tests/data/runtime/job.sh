echo "script for {{ ds }} with {{ params.size }}"
