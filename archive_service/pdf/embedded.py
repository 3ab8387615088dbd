"""Embedded files: those named in the catalog's name tree and those associated with the document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pikepdf

from archive_service.model import ArchiveError
from archive_service.pdf.bombs import read_bounded

MAX_EMBEDDED_FILES = 32  # each is parsed
MAX_XML_BYTES = 10 * 1024 * 1024  # a large invoice of 10,000 lines has 12 kB for each 10 lines
MAX_NAME_TREE_NODES = 1_000
MAX_NAME_LENGTH = 255


class TooManyFiles(ArchiveError):
    """The document holds more embedded files than are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One embedded file.

    ``relationship`` is the AFRelationship without its slash, ``associated`` whether the catalog's AF array
    names it (ISO 19005-3, 6.8). ``data`` is read for XML only, and empty for other files.
    """

    name: str
    relationship: str | None
    subtype: str | None
    data: bytes
    associated: bool


def check_count(pdf: pikepdf.Pdf) -> None:
    """Count file specifications that embed a file, wherever they hang. Raises TooManyFiles."""
    count = 0
    for item in pdf.objects:
        if isinstance(item, pikepdf.Dictionary) and "/EF" in item:
            count += 1
            if count > MAX_EMBEDDED_FILES:
                raise TooManyFiles(f"It holds more than {MAX_EMBEDDED_FILES} embedded files.")


def read_attachments(pdf: pikepdf.Pdf) -> tuple[Attachment, ...]:
    """Read every embedded file, in the order of the name tree, then of AF. Raises TooManyFiles, Bomb."""
    associated = _associated(pdf)
    found: list[pikepdf.Dictionary] = []
    for specification in (*_named(pdf), *associated):
        if not any(_same(specification, other) for other in found):
            found.append(specification)
        if len(found) > MAX_EMBEDDED_FILES:
            raise TooManyFiles(f"It holds more than {MAX_EMBEDDED_FILES} embedded files.")
    return tuple(_attachment(specification, associated) for specification in found)


def _attachment(specification: pikepdf.Dictionary, associated: tuple[pikepdf.Dictionary, ...]) -> Attachment:
    twins = [other for other in associated if _same(specification, other)]
    name = str(specification.get("/UF", specification.get("/F", "")))[:MAX_NAME_LENGTH]
    stream = _stream(specification)
    subtype = stream.get("/Subtype") if stream is not None else None
    relationship = (twins[0] if twins else specification).get("/AFRelationship")
    wanted = stream is not None and name.lower().endswith(".xml")
    return Attachment(
        name=name,
        relationship=str(relationship).removeprefix("/") if relationship is not None else None,
        subtype=str(subtype).removeprefix("/") if subtype is not None else None,
        data=read_bounded(stream, MAX_XML_BYTES) if stream is not None and wanted else b"",
        associated=bool(twins),
    )


def _stream(specification: pikepdf.Dictionary) -> pikepdf.Stream | None:
    files = specification.get("/EF")
    if not isinstance(files, pikepdf.Dictionary):
        return None
    stream = files.get("/UF", files.get("/F"))
    return stream if isinstance(stream, pikepdf.Stream) else None


def _same(one: pikepdf.Dictionary, other: pikepdf.Dictionary) -> bool:
    """Whether two specifications embed one file: producers often write the specification twice."""
    first, second = _stream(one), _stream(other)
    if first is None or second is None:
        return bool(one.objgen == other.objgen and one.is_indirect)
    return bool(first.objgen == second.objgen)


def _associated(pdf: pikepdf.Pdf) -> tuple[pikepdf.Dictionary, ...]:
    files = pdf.Root.get("/AF")
    if not isinstance(files, pikepdf.Array):
        return ()
    if len(files) > MAX_EMBEDDED_FILES:
        raise TooManyFiles(f"It associates more than {MAX_EMBEDDED_FILES} files.")
    return tuple(file for file in list(files) if isinstance(file, pikepdf.Dictionary) and "/EF" in file)


def _named(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Dictionary]:
    """Walk the EmbeddedFiles name tree (ISO 32000-1, 7.9.6), in its order, for a bounded number of nodes."""
    names = pdf.Root.get("/Names")
    root = names.get("/EmbeddedFiles") if isinstance(names, pikepdf.Dictionary) else None
    waiting = [root]
    for _ in range(MAX_NAME_TREE_NODES):
        if not waiting:
            return
        node = waiting.pop()
        if not isinstance(node, pikepdf.Dictionary):
            continue
        leaves = node.get("/Names")
        if isinstance(leaves, pikepdf.Array):
            if len(leaves) > 2 * MAX_EMBEDDED_FILES:
                raise TooManyFiles(f"It names more than {MAX_EMBEDDED_FILES} embedded files.")
            for value in list(leaves)[1::2]:
                if isinstance(value, pikepdf.Dictionary) and "/EF" in value:
                    yield value
        kids = node.get("/Kids")
        if isinstance(kids, pikepdf.Array):
            waiting.extend(reversed(list(kids)[:MAX_NAME_TREE_NODES]))
    raise TooManyFiles(f"Its name tree has more than {MAX_NAME_TREE_NODES} nodes.")
