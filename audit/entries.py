"""Journal entries, archive-entry/v1: canonical JSON that holds no personal data (ADR 0002).

An entry names objects by the digest of their *stored* (encrypted) bytes, so that scrubbing needs no key, and
commits to the digests of the plain ones by salted commitments, so that a shredded salt makes it say nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.canonical import MAX_INTEGER, Members, canonical_json, check_format, read_canonical
from audit.commitments import check_field
from audit.encodings import moment_text
from audit.errors import Malformed
from audit.tiles import MAX_ENTRY_BYTES

ENTRY_FORMAT = "archive-entry/v1"
MAX_OBJECTS = 64  # a record has five; an entry must fit 65,535 bytes

_ACTION = re.compile(r"[a-z][a-z0-9_]{0,31}:[a-z][a-z0-9_]{0,31}", re.ASCII)
_AGENT = re.compile(r"[A-Za-z0-9_.:-]{1,128}", re.ASCII)
_DETAIL = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_ROLE = re.compile(r"[a-z][a-z0-9_.-]{0,63}", re.ASCII)
_VERSION_ID = re.compile(r"[\x21-\x7e]{1,1024}", re.ASCII)

Detail = str | int | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryObject:
    """A locked object: ``sha256`` (32 bytes) and ``size`` of the bytes as stored."""

    role: str
    sha256: bytes
    version_id: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A salted commitment (32 bytes) to the digest of what ``field`` names."""

    field: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that happened: ``action`` (``object:verb``) on ``subject`` by ``agent``, a random token.

    ``at`` is written in UTC, cut to milliseconds. Objects are ordered by role, commitments by field and
    details by name, whatever their order here.
    """

    entry_id: UUID
    at: datetime
    action: str
    subject: UUID
    agent: str
    objects: tuple[EntryObject, ...] = ()
    commitments: tuple[Commitment, ...] = ()
    details: tuple[tuple[str, Detail], ...] = ()


def encode_entry(entry: Entry) -> bytes:
    """Return the leaf's bytes. Raises Malformed for what ``decode_entry`` would not read back."""
    leaf = canonical_json(
        {
            "format": ENTRY_FORMAT,
            "entry_id": str(entry.entry_id),
            "at": moment_text(entry.at),
            "action": entry.action,
            "subject": str(entry.subject),
            "agent": entry.agent,
            "objects": [_object(item) for item in sorted(entry.objects, key=lambda item: item.role)],
            "commitments": {item.field: item.value.hex() for item in entry.commitments},
            "details": dict(entry.details),
        }
    )
    again = decode_entry(leaf)
    if len(again.commitments) != len(entry.commitments) or len(again.details) != len(entry.details):
        raise Malformed("an entry's commitments and details must have distinct names")
    return leaf


def _object(item: EntryObject) -> dict[str, object]:
    return {
        "role": item.role,
        "sha256": item.sha256.hex(),
        "size": item.size,
        "version_id": item.version_id,
    }


def decode_entry(leaf: bytes) -> Entry:
    """Read a leaf. Raises UnknownFormat for another format, version or member; Malformed otherwise."""
    value = read_canonical(leaf, limit=MAX_ENTRY_BYTES)
    check_format(value, ENTRY_FORMAT)
    members = Members(value, "the entry")
    members.take("format")
    entry = Entry(
        entry_id=members.uuid("entry_id"),
        at=members.moment("at"),
        action=members.text("action", _ACTION),
        subject=members.uuid("subject"),
        agent=members.text("agent", _AGENT),
        objects=_objects(members.take("objects")),
        commitments=_commitments(members.take("commitments")),
        details=_details(members.take("details")),
    )
    members.done()
    return entry


def _objects(value: object) -> tuple[EntryObject, ...]:
    if not isinstance(value, list) or len(value) > MAX_OBJECTS:
        raise Malformed("the entry's objects are not a list of a few")
    objects = tuple(_one_object(item) for item in value)
    roles = [item.role for item in objects]
    if roles != sorted(set(roles)):
        raise Malformed("the entry's objects are not in the order of their roles, each once")
    return objects


def _one_object(value: object) -> EntryObject:
    members = Members(value, "an object of the entry")
    found = EntryObject(
        role=members.text("role", _ROLE),
        sha256=members.digest("sha256"),
        version_id=members.text("version_id", _VERSION_ID),
        size=members.integer("size"),
    )
    members.done()
    return found


def _commitments(value: object) -> tuple[Commitment, ...]:
    members = Members(value, "the entry's commitments")
    names = sorted(value) if isinstance(value, dict) else []
    for name in names:
        check_field(name)
    return tuple(Commitment(field=name, value=members.digest(name)) for name in names)


def _details(value: object) -> tuple[tuple[str, Detail], ...]:
    if not isinstance(value, dict):
        raise Malformed("the entry's details are not an object")
    return tuple((name, _detail(name, value[name])) for name in sorted(value))


def _detail(name: str, value: object) -> Detail:
    if not _DETAIL.fullmatch(name) or not isinstance(value, str | int):
        raise Malformed("a detail of the entry is not a named text, whole number or truth")
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise Malformed("a detail of the entry is a number beyond 2^53-1")
    return value
