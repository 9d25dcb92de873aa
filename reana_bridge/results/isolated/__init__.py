"""What runs in a process of its own, because it opens files of others with heavy or native libraries.

A task is a function `task(job, inputs, output)` at the top of a module, named here:

* `job`: a JSON mapping, as the caller of `isolation.run` gave it.
* `inputs`: a path for each name; those files may be read, nothing else of the machine.
* `output`: an empty directory for files to write; None where the caller wants none.

It returns JSON. What it raises becomes the file's "not readable: why", also where it uses up its memory or
its time, or takes the interpreter down with it.
"""

from collections.abc import Mapping
from types import MappingProxyType

TASKS: Mapping[str, str] = MappingProxyType(
    {
        "compare": "reana_bridge.results.isolated.compare:compare",
        "draw": "reana_bridge.results.isolated.draw:draw",
        "preview": "reana_bridge.results.isolated.preview:preview",
        "read": "reana_bridge.results.isolated.read:read",
    }
)
"""Name of a task -> module and function. A name with a colon is such a place itself."""
