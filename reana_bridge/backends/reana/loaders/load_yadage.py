# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false
"""A yadage workflow with all that it refers to put in."""

import os
from typing import Any


def load(order: dict[str, Any]) -> Any:
    """The loaded and checked workflow."""
    from yadage import workflow_loader

    toplevel = str(order["options"].get("toplevel") or order["workspace"])
    if ":" not in toplevel:
        toplevel = os.path.join(order["workspace"], toplevel)
    return workflow_loader.workflow(order["file"], toplevel=toplevel, validate=True)
