"""Checkpoints: a log's size and root, signed (C2SP tlog-checkpoint)."""

from __future__ import annotations

from dataclasses import dataclass

from audit.encodings import base64_text, read_base64, read_decimal
from audit.errors import BadCheckpoint
from audit.merkle import HASH_BYTES, MAX_SIZE
from audit.notes import NoteSigner, NoteVerifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The tree of ``size`` entries has the 32-byte ``root``. ``origin`` names the log."""

    origin: str
    size: int
    root: bytes


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """Return the three lines that are signed."""
    return f"{checkpoint.origin}\n{checkpoint.size}\n{base64_text(checkpoint.root)}\n"


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner) -> bytes:
    """Return the signed note. Raises BadCheckpoint when the signer is not this log's."""
    text = checkpoint_text(checkpoint)
    if parse_checkpoint_text(text) != checkpoint or signer.name != checkpoint.origin:
        raise BadCheckpoint("this checkpoint is not one that this log can sign")
    return signer.sign(text)


def open_checkpoint(note: bytes, verifier: NoteVerifier) -> Checkpoint:
    """Return the checkpoint once its signature verified. Raises BadNote, BadCheckpoint.

    Our logs are named after their key, as tlog-checkpoint recommends, and sign no extension lines: a note
    that differs in this is not one of theirs.
    """
    checkpoint = parse_checkpoint_text(verifier.open(note))
    if checkpoint.origin != verifier.name:
        raise BadCheckpoint(f"the checkpoint is of {checkpoint.origin}, not of {verifier.name}")
    return checkpoint


def parse_checkpoint_text(text: str) -> Checkpoint:
    """Read the signed text. Raises BadCheckpoint."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:
        raise BadCheckpoint("a checkpoint of ours has three lines: origin, size, root")
    size = read_decimal(lines[1], refusal=BadCheckpoint)
    root = read_base64(lines[2], refusal=BadCheckpoint)
    if size > MAX_SIZE or len(root) != HASH_BYTES:
        raise BadCheckpoint("the checkpoint's size or root is out of bounds")
    return Checkpoint(origin=lines[0], size=size, root=root)
