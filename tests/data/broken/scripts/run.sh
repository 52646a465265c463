set -e
{% include "scripts/common.sh" %}
echo {{ ds }}
