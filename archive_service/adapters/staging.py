"""A folder for bytes on their way in. What is in it under its final name is whole and durable."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive_service.ports import StagingFull

KEEP_FREE_BYTES = 64 * 1024 * 1024  # the other parts on this disk (database, logs) must not fail with us
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")  # no slash, no leading dot: cannot leave the folder
_UNFINISHED = ".part"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class Upload:
    """An unfinished file. Bytes come by ``write``; only ``commit`` makes it exist under its name."""

    def __init__(self, *, staging: FolderStaging, name: str) -> None:
        self._staging = staging
        self._target = staging.path(name)
        # the final name cannot begin with a dot, so no upload can be taken for another's unfinished file
        self._partial = staging.root / f".{name}.{secrets.token_hex(8)}{_UNFINISHED}"
        with _room(self._partial):
            self._file = self._partial.open("xb")
        self._committed = False

    def write(self, chunk: bytes) -> None:
        """Append bytes. Raises StagingFull."""
        self._staging.check_room(len(chunk))
        with _room(self._partial):
            self._file.write(chunk)

    def commit(self) -> Path:
        """Make it durable under its name, and return where it is. Raises StagingFull.

        A crash before the rename leaves an unfinished file, which ``sweep`` removes; after it, the file.
        """
        with _room(self._partial):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._partial.replace(self._target)
            _sync_folder(self._staging.root)
        self._committed = True
        return self._target

    def close(self) -> None:
        """Remove what was not committed; after ``commit``, do nothing."""
        if self._committed:
            return
        # closing flushes what is buffered, so it too may find the disk full; the bytes are unwanted anyway
        try:
            self._file.close()
        except OSError as failed:
            if failed.errno not in _NO_ROOM:
                raise
        finally:
            self._partial.unlink(missing_ok=True)


class FolderStaging:
    """Staging in one folder of one file system. Implements ``ports.Staging``."""

    def __init__(self, root: Path, *, keep_free: int = KEEP_FREE_BYTES) -> None:
        self.root = root
        self._keep_free = keep_free
        root.mkdir(mode=0o700, parents=True, exist_ok=True)  # holds documents in clear

    def path(self, name: str) -> Path:
        """Where a staged file is. Raises ValueError for a name that could lead elsewhere."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a name for a staged file: {name!r}")
        return self.root / name

    @contextmanager
    def open_upload(self, name: str) -> Iterator[Upload]:
        """Open an upload; leaving without ``commit`` leaves nothing behind. Raises StagingFull."""
        self.check_room(0)
        upload = Upload(staging=self, name=name)
        try:
            yield upload
        finally:
            upload.close()

    def write(self, name: str, body: bytes) -> Path:
        """Durable on return; replaces a file of that name at once and whole. Raises StagingFull."""
        with self.open_upload(name) as upload:
            upload.write(body)
            return upload.commit()

    def discard(self, name: str) -> None:
        """Remove it; absent is fine. A crash just after may bring it back: discarding again is harmless."""
        self.path(name).unlink(missing_ok=True)

    def sweep(self, *, older_than: float) -> int:
        """Remove unfinished files last written before ``older_than`` (Unix seconds); return how many."""
        stale = [path for path in self.root.glob(f".*{_UNFINISHED}") if path.stat().st_mtime < older_than]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)

    def check_room(self, more: int) -> None:
        """Raise StagingFull unless ``more`` bytes fit and the floor stays free."""
        if shutil.disk_usage(self.root).free - more < self._keep_free:
            raise StagingFull


@contextmanager
def _room(partial: Path) -> Iterator[None]:
    """Turn "no space left" into StagingFull, and give the space back at once."""
    try:
        yield
    except OSError as failed:
        if failed.errno not in _NO_ROOM:
            raise
        partial.unlink(missing_ok=True)
        raise StagingFull from failed


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
