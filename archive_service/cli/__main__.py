"""``python -m archive_service.cli``: the same as ``archive``."""

from archive_service.cli import main

main()
