"""``python -m orkestra_bridge``."""

from orkestra_bridge.cli.main import main

main()
