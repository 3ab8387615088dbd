"""Evidence bundles, archive-evidence-bundle/v1: a zip with one possible byte sequence (ADR 0005).

Members are stored, not deflated: nothing can unpack to more than it is, and the reader writes the zip again
and compares, so that no byte of the file is left unlooked at.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from audit import names
from audit.canonical import Members, canonical_json, check_format, read_canonical
from audit.errors import BadBundle, Malformed
from audit.page import check_page

BUNDLE_FORMAT = "archive-evidence-bundle/v1"

# The document's limit is the archive's setting: these only keep a verifier from exhausting its memory.
MAX_BUNDLE_BYTES = 512 * 1024 * 1024
MAX_SMALL_MEMBER_BYTES = 16 * 1024 * 1024  # everything but the two PDFs

_RECEIVED = frozenset({names.VERDICT, names.RECEIPT, names.SEAL_PEM, names.ROOTS_PEM})
_ALWAYS = _RECEIVED | {names.SALTS, names.ENTRY, names.PROOF, names.VKEY}
_WHEN_ARCHIVED = frozenset({names.ORIGINAL, names.RECORD})
_STAMPED = frozenset({names.STATEMENT, names.STATEMENT_TOKEN})
_SEALED = frozenset({names.SEALED, names.SEAL_SIGNATURE, names.SEAL_TOKEN})
_TOKENS = ((names.STATEMENT_TOKEN, names.STATEMENT), (names.SEAL_TOKEN, names.SEAL_SIGNATURE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The members by name, as the manifest lists them; nothing of what they prove is checked yet."""

    outcome: str
    deposit_id: UUID
    members: Mapping[str, bytes]


def build_bundle(members: Mapping[str, bytes], *, outcome: str, deposit_id: UUID) -> bytes:
    """Return the zip of these members with ``manifest.json`` and ``CHECK.html`` added.

    The same members give the same bytes. Raises BadBundle when one is missing, unknown or too large.
    """
    evidence = {name: members[name] for name in names.ORDER if name in members}
    if len(evidence) != len(members) or {names.PAGE, names.MANIFEST} & set(members):
        raise BadBundle("there are members that a bundle does not have, or that are added here")
    _check_names(set(evidence), outcome)
    page = check_page(outcome=outcome, names=frozenset(evidence), deposit_id=deposit_id)
    listed = {names.PAGE: page, **evidence}
    manifest = _manifest(listed, outcome=outcome, deposit_id=deposit_id)
    data = _write({names.PAGE: page, names.MANIFEST: manifest, **evidence})
    if len(data) > MAX_BUNDLE_BYTES:
        raise BadBundle("the bundle is too large")
    return data


def _check_names(found: set[str], outcome: str) -> None:
    if outcome not in ("archived", "rejected"):
        raise BadBundle("the outcome is neither archived nor rejected")
    archived = outcome == "archived"
    required = _ALWAYS | (_WHEN_ARCHIVED if archived else frozenset())
    for group in (_STAMPED, _SEALED):
        if found & group:
            required |= group | {names.TSA_PEM}
    if not archived and found & _SEALED:
        raise BadBundle("nothing is sealed of a rejected deposit")
    if missing := required - found:
        raise BadBundle(f"the bundle lacks {', '.join(sorted(missing))}")
    if too_many := found - required:
        raise BadBundle(f"the bundle has {', '.join(sorted(too_many))}, which does not belong there")


def _manifest(listed: Mapping[str, bytes], *, outcome: str, deposit_id: UUID) -> bytes:
    return canonical_json(
        {
            "format": BUNDLE_FORMAT,
            "outcome": outcome,
            "deposit_id": str(deposit_id),
            "members": {
                name: {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}
                for name, body in listed.items()
            },
            "tokens": [
                {"token": token, "covers": covered, "imprint": "sha256"}
                for token, covered in _TOKENS
                if token in listed
            ],
        }
    )


def _write(members: Mapping[str, bytes]) -> bytes:
    """Return the zip with nothing in it but the members: fixed order, dates, modes and versions."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        for name in names.ORDER:
            if name in members:
                info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
                info.create_system, info.external_attr = 3, 0o100644 << 16  # Unix, whatever we run on
                archive.writestr(info, members[name])
    return output.getvalue()


def read_bundle(data: bytes) -> Bundle:
    """Read a bundle. Raises BadBundle, UnknownFormat.

    1. its size and its table of contents are bounded, its names all known, each once;
    2. it is byte for byte the zip that these members make: nothing hides before, between or behind them;
    3. the manifest lists exactly the members, with their sizes and digests;
    4. the members are those that the outcome asks for.
    """
    if len(data) > MAX_BUNDLE_BYTES:
        raise BadBundle("the bundle is too large")
    members = _unpack(data)
    if _write(members) != data:
        raise BadBundle(
            "the zip is not written as a bundle is: it was changed, or packed again by another tool"
        )
    manifest = members.pop(names.MANIFEST, None)
    if manifest is None or names.PAGE not in members:
        raise BadBundle(f"the bundle lacks {names.MANIFEST} or {names.PAGE}")
    bundle = _read_manifest(manifest, members)
    _check_names(set(members) - {names.PAGE}, bundle.outcome)
    return bundle


def _unpack(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            _check_contents(infos, len(data))
            return {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        # what zipfile raises for hostile bytes; RuntimeError is its word for "encrypted"
        raise BadBundle(f"this is not a zip that can be read: {error}") from None


def _check_contents(infos: list[zipfile.ZipInfo], size: int) -> None:
    found = [info.filename for info in infos]
    if len(set(found)) != len(found) or not set(found) <= set(names.ORDER):
        raise BadBundle("the zip has members that a bundle does not have, or has one twice")
    if sum(info.file_size for info in infos) > size:
        raise BadBundle("the zip's members are compressed, or overlap")
    for info in infos:
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise BadBundle(f"{info.filename} is compressed")
        if info.filename not in (names.ORIGINAL, names.SEALED) and info.file_size > MAX_SMALL_MEMBER_BYTES:
            raise BadBundle(f"{info.filename} is too large")


def _read_manifest(manifest: bytes, members: dict[str, bytes]) -> Bundle:
    value = read_canonical(manifest, limit=64 * 1024)
    check_format(value, BUNDLE_FORMAT)
    outcome, reader = value.get("outcome"), Members(value, "the manifest")
    deposit_id = reader.uuid("deposit_id")
    if not isinstance(outcome, str):
        raise Malformed("the manifest does not name the outcome")
    if _manifest(members, outcome=outcome, deposit_id=deposit_id) != manifest:
        raise BadBundle(f"the manifest does not list the members as they are: {_difference(value, members)}")
    return Bundle(outcome=outcome, deposit_id=deposit_id, members=MappingProxyType(members))


def _difference(value: Mapping[str, object], members: Mapping[str, bytes]) -> str:
    listed = value.get("members")
    if not isinstance(listed, dict):
        return "it has no list"
    actual = {
        name: {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}
        for name, body in members.items()
    }
    differing = sorted(name for name in {*listed, *actual} if listed.get(name) != actual.get(name))
    return ", ".join(differing) or "other statements"
