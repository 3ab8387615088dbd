"""What a stranger may send to an archive, each with the problem that it must get; all made, no file kept."""

from . import bombs, documents, metadata, stalls, xmls
from .cases import HostileCase

__all__ = ["CASES", "HostileCase"]

CASES: tuple[HostileCase, ...] = (
    *documents.CASES,
    *bombs.CASES,
    *stalls.CASES,
    *xmls.CASES,
    *metadata.CASES,
)
