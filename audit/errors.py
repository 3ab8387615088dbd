"""What can be wrong with a log, a proof, a receipt or a bundle."""

from __future__ import annotations


class AuditError(Exception):
    """Something that should be proved is not."""


class Malformed(AuditError):
    """Bytes are not what their format asks for."""


class UnknownFormat(Malformed):
    """A format, a version or a member that this reader does not know: it must not guess."""


class BadNote(Malformed):
    """A signed note is ill-formed or its signature does not verify (C2SP signed-note)."""


class BadCheckpoint(Malformed):
    """A checkpoint is ill-formed, or not of the log that is asked about (C2SP tlog-checkpoint)."""


class BadBundle(Malformed):
    """An evidence bundle is ill-formed, or its members are not those that its manifest lists."""


class BadTile(Malformed):
    """A tile or an entry bundle does not have the bytes that its place asks for (C2SP tlog-tiles)."""


class TileConflict(AuditError):
    """Other bytes already stand at that tile's path: tiles never change."""


class Unproved(AuditError):
    """A link between two members of an evidence bundle does not hold."""


class SignatureRefused(AuditError):
    """A seal, a token or a signature does not hold, says whoever checks signatures."""


class BrokenProof(AuditError):
    """A Merkle proof does not lead to the root."""


class TamperedEntry(AuditError):
    """What was opened is not what the entry committed to."""
