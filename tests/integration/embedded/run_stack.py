"""Run the supervisor with the stand-in as its program: ``run_stack.py DATA [broken]``."""

from __future__ import annotations

import sys
from pathlib import Path

from archive_service.adapters.embedded.up import Program, serve

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in.py")))


def main() -> int:
    """Serve until a signal."""
    program = Program(
        once={"bootstrap": (*STAND_IN, "bootstrap")},
        services={"api": (*STAND_IN, "api"), "worker-1": (*STAND_IN, *(sys.argv[2:] or ["worker"]))},
    )
    return serve(data=Path(sys.argv[1]), port=None, announce=lambda _: None, report=print, program=program)


if __name__ == "__main__":
    sys.exit(main())
