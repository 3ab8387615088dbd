"""Become another program that dies with its parent and keeps to a memory limit.

Run as a file, before anything is imported: ``python -I -S launch.py PARENT_PID MEMORY_BYTES PROGRAM ARG…``.
A checker that is busy with a hostile document would not notice that its standard input has ended; the
kernel's parent-death signal (Linux ``prctl(PR_SET_PDEATHSIG)``) ends it all the same. Setting this between
``fork`` and ``exec`` in the parent would run Python in a copy of a threaded process, so this small program
does it on its own.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> None:
    """Set the limits, then replace this process. MEMORY_BYTES 0: no limit on the address space."""
    parent, memory, program = int(arguments[0]), int(arguments[1]), arguments[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the signal was asked for
        os._exit(1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold a customer's document
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    os.execv(program[0], program)  # noqa: S606 - that is what this file is for; no shell, fixed arguments


if __name__ == "__main__":
    main(sys.argv[1:])
