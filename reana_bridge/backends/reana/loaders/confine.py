"""Started in front of the sandbox: sets limits that its programs inherit, then becomes it.

`python -I -S confine.py SECONDS BYTES FILE_BYTES PROGRAM ARGUMENT...`
"""

import os
import resource
import sys


def _main() -> None:
    seconds, memory, file_size = (int(word) for word in sys.argv[1:4])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.execv(sys.argv[4], sys.argv[4:])  # noqa: S606


if __name__ == "__main__":
    _main()
