"""Signed notes with Ed25519 keys (C2SP signed-note; verifier keys as Go's sumdb/note writes them)."""

from __future__ import annotations

import hashlib
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.encodings import base64_text, read_base64
from audit.errors import BadNote

MAX_NOTE_BYTES = 128 * 1024  # at least 16 signatures, of which post-quantum ones take nearly 5 kB each
MAX_SIGNATURES = 32

_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_DASH = "— "


class NoteSigner:
    """Signs notes with one key. ``seed`` is the 32-byte Ed25519 private key (RFC 8032 §5.1.5)."""

    def __init__(self, *, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.name = _checked_name(name)
        public = self._key.public_key().public_bytes_raw()
        self._key_id = _key_id(name, public)
        self.vkey = f"{name}+{self._key_id.hex()}+{base64_text(_ED25519 + public)}"

    def sign(self, text: str) -> bytes:
        """Return the note: text, blank line, one signature line. Raises BadNote for a text that cannot be."""
        _check_text(text)
        signature = base64_text(self._key_id + self._key.sign(text.encode()))
        return f"{text}\n{_DASH}{self.name} {signature}\n".encode()


class NoteVerifier:
    """Opens notes that one key signed."""

    def __init__(self, *, name: str, public_key: bytes) -> None:
        self.name, self.public_key = _checked_name(name), public_key
        self.key_id = _key_id(name, public_key)
        self._key = Ed25519PublicKey.from_public_bytes(public_key)

    @classmethod
    def from_vkey(cls, vkey: str) -> Self:
        """Read ``name+keyid+key``. Raises BadNote unless the key id fits and the key is an Ed25519 one."""
        name, _, rest = vkey.partition("+")
        key_id, _, encoded = rest.partition("+")
        key = read_base64(encoded, refusal=BadNote)
        if key[:1] != _ED25519 or len(key) != 33:
            raise BadNote("the log's verifier key is not an Ed25519 key")
        verifier = cls(name=name, public_key=key[1:])
        if verifier.key_id.hex() != key_id:
            raise BadNote("the log's verifier key does not have the key id that it states")
        return verifier

    def open(self, note: bytes) -> str:
        """Return the text, which this key signed. Raises BadNote; signatures by other keys are ignored."""
        text, signatures = split_note(note)
        key = (self.name, self.key_id)
        ours = [value[_KEY_ID_BYTES:] for name, value in signatures if (name, value[:_KEY_ID_BYTES]) == key]
        if not ours:
            raise BadNote(f"the note is not signed by {self.name}")
        for signature in ours:
            self._verify(signature, text)
        return text

    def _verify(self, signature: bytes, text: str) -> None:
        try:
            self._key.verify(signature, text.encode())
        except InvalidSignature:
            raise BadNote(f"the note's signature by {self.name} does not verify") from None


def split_note(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """Return a note's text and its signatures (key name; key id and value), unverified. Raises BadNote."""
    if len(note) > MAX_NOTE_BYTES:
        raise BadNote("the note is too long")
    try:
        whole = note.decode()
    except UnicodeDecodeError:
        raise BadNote("the note is not UTF-8") from None
    body, blank, signatures = whole.rpartition("\n\n")
    lines = signatures.split("\n")
    if not blank or lines.pop() != "" or not 0 < len(lines) <= MAX_SIGNATURES:
        raise BadNote("the note does not end with a blank line and its signatures")
    _check_text(f"{body}\n")
    return f"{body}\n", [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    value = read_base64(encoded, refusal=BadNote)
    if not line.startswith(_DASH) or len(value) <= _KEY_ID_BYTES:
        raise BadNote("a line of the note that should be a signature is not")
    return _checked_name(name), value


def _key_id(name: str, public_key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:_KEY_ID_BYTES]


def _checked_name(name: str) -> str:
    if not name or not name.isprintable() or "+" in name or any(char.isspace() for char in name):
        raise BadNote("a key name must have neither spaces nor a plus sign")
    return name


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(char < " " and char != "\n" for char in text):
        raise BadNote("a note's text must end with a newline and hold no control characters")
