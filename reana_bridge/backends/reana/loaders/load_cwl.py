# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false
"""A CWL workflow packed into one document by cwltool."""

import io
import json
from typing import Any


def load(order: dict[str, Any]) -> Any:
    """The packed document."""
    from cwltool.main import main

    packed = io.StringIO()
    status = main(["--pack", "--quiet", "--disable-color", order["file"]], stdout=packed)
    if status:
        raise ValueError(f"cwltool cannot pack {order['file']}")
    return json.loads(packed.getvalue())
