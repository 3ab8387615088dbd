"""The bundle's form: one byte sequence, nothing hidden, nothing unbounded."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
from typing import Any
from uuid import UUID, uuid4

import pytest

from audit import bundle as bundles
from audit.bundle import build_bundle, read_bundle
from audit.canonical import canonical_json, read_json
from audit.errors import AuditError, BadBundle, Malformed, UnknownFormat
from audit.page import check_page
from audit.salts import encode_salts, parse_salts
from audit.texts import link_texts
from audit.verify import LINKS

DEPOSIT = UUID("6f1c1f6e-9a0b-4c55-8f33-0d8f6d1b2a01")
Vectors = dict[str, Any]


@pytest.fixture
def members(vectors: Vectors) -> dict[str, bytes]:
    """The vectors' members of a rejected deposit's bundle; they say nothing, only the form counts."""
    listed = {one["name"]: one["text"].encode() for one in vectors["formats"]["bundle_members"]}
    return {name: body for name, body in listed.items() if name != "CHECK.html"}


@pytest.fixture
def bundle(members: dict[str, bytes]) -> bytes:
    """A bundle of them."""
    return build_bundle(members, outcome="rejected", deposit_id=DEPOSIT)


def zipped(contents: dict[str, bytes] | list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip by the standard library, as any tool might write it."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", method) as archive:
        for name, body in contents.items() if isinstance(contents, dict) else contents:
            archive.writestr(zipfile.ZipInfo(name), body, method)
    return output.getvalue()


def test_the_zip_is_go_s_byte_for_byte(
    vectors: Vectors, members: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the vectors' page, manifest and zip equal what Go's encoding/json and archive/zip write."""
    page = vectors["formats"]["bundle_members"][0]["text"].encode()
    monkeypatch.setattr(bundles, "check_page", lambda **_: page)
    made = build_bundle(members, outcome="rejected", deposit_id=DEPOSIT)
    assert made == base64.b64decode(vectors["formats"]["bundle_zip_base64"])
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.read("manifest.json") == vectors["formats"]["bundle_manifest"].encode()


def test_go_s_bundle_is_read(vectors: Vectors, members: dict[str, bytes]) -> None:
    """A bundle written by another implementation of the format is one of ours."""
    read = read_bundle(base64.b64decode(vectors["formats"]["bundle_zip_base64"]))
    assert (read.outcome, read.deposit_id) == ("rejected", DEPOSIT)
    assert {name: body for name, body in read.members.items() if name != "CHECK.html"} == members


def test_the_same_members_make_the_same_bytes(members: dict[str, bytes], bundle: bytes) -> None:
    """Whatever their order: a bundle can be made again and compared."""
    turned = dict(reversed(members.items()))
    assert build_bundle(turned, outcome="rejected", deposit_id=DEPOSIT) == bundle


def test_every_changed_byte_of_the_file_is_seen(bundle: bytes) -> None:
    """Headers, names, dates, checksums, directory: no byte of the zip is free to differ."""
    for at in range(len(bundle)):
        with pytest.raises(AuditError):
            read_bundle(bundle[:at] + bytes([bundle[at] ^ 0x10]) + bundle[at + 1 :])


def test_bytes_before_behind_and_between_are_seen(bundle: bytes) -> None:
    """A zip reader passes over what stands around its members: we do not."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        contents = [(info.filename, archive.read(info)) for info in archive.infolist()]
    comment = bytearray(bundle + b"note")
    struct.pack_into("<H", comment, len(bundle) - 2, 4)
    for spoiled in (b"MZ" + bundle, bundle + b"\0", bytes(comment), zipped(contents), zipped(contents[::-1])):
        with pytest.raises(BadBundle):
            read_bundle(spoiled)


def test_every_cut_is_seen(bundle: bytes) -> None:
    """A download that broke off is named, wherever it did."""
    for end in range(0, len(bundle), 7):
        with pytest.raises(BadBundle):
            read_bundle(bundle[:end])


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "certificates/../x", "C:\\x", "unknown.txt", "original.PDF", ""]
)
def test_names_outside_the_list_are_refused(bundle: bytes, name: str) -> None:
    """No path leaves the folder that a bundle is unpacked to: only known names exist."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        contents = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with pytest.raises(BadBundle):
        read_bundle(zipped([*contents, (name, b"x")]))


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")  # zipfile warns; the twin is what we test
def test_a_member_twice_is_refused(bundle: bytes) -> None:
    """Two members of one name would let two readers see two things."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        contents = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with pytest.raises(BadBundle, match="twice"):
        read_bundle(zipped([*contents, contents[3]]))


def test_compressed_members_are_refused(bundle: bytes) -> None:
    """Stored only: a few kilobytes can never become gigabytes."""
    with pytest.raises(BadBundle, match="compressed"):
        read_bundle(zipped({"original.pdf": bytes(10_000_000)}, zipfile.ZIP_DEFLATED))
    stored = zipped({"original.pdf": bytes(1_000), "sealed.pdf": b"incompressible"}, zipfile.ZIP_BZIP2)
    with pytest.raises(BadBundle, match="compressed"):
        read_bundle(stored)


def test_what_is_too_large_is_refused(members: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """A small member that is large, or a whole that is, is refused before more is done with it."""
    monkeypatch.setattr(bundles, "MAX_SMALL_MEMBER_BYTES", 100)
    with pytest.raises(BadBundle, match="too large"):
        read_bundle(zipped({"verdict.json": bytes(101)}))
    monkeypatch.setattr(bundles, "MAX_BUNDLE_BYTES", 1000)
    with pytest.raises(BadBundle, match="too large"):
        read_bundle(bytes(1001))
    with pytest.raises(BadBundle, match="too large"):
        build_bundle(members, outcome="rejected", deposit_id=DEPOSIT)


def repacked(bundle: bytes, **changes: Any) -> bytes:
    """Return the bundle with members of its manifest changed, the zip written as it must be."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        contents = {info.filename: archive.read(info) for info in archive.infolist()}
    manifest = read_json(contents["manifest.json"], limit=10**6) | changes
    kept = {name: value for name, value in manifest.items() if value is not None}
    return bundles._write(contents | {"manifest.json": canonical_json(kept)})


@pytest.mark.parametrize(
    "changes",
    [
        {"members": {}},
        {"members": None},
        {"tokens": []},
        {"tokens": None},
        {"outcome": "archived"},
        {"outcome": "kept"},
        {"outcome": None},
        {"deposit_id": None},
        {"deposit_id": "x"},
        {"more": 1},
        {"format": "archive-evidence-bundle/v2"},
        {"format": None},
    ],
)
def test_a_manifest_that_says_something_else_is_refused(bundle: bytes, changes: dict[str, Any]) -> None:
    """It lists exactly the members and tokens that are there, in the one version that we know."""
    read_bundle(repacked(bundle))
    with pytest.raises(UnknownFormat if changes.get("format", "") != "" else Malformed):
        read_bundle(repacked(bundle, **changes))


@pytest.mark.parametrize("name", ["manifest.json", "CHECK.html"])
def test_manifest_and_page_must_be_there(bundle: bytes, name: str) -> None:
    """Without either it is no bundle."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        contents = {info.filename: archive.read(info) for info in archive.infolist() if info.filename != name}
    with pytest.raises(BadBundle, match="lacks"):
        read_bundle(bundles._write(contents))


def test_each_outcome_has_its_members(members: dict[str, bytes]) -> None:
    """What an outcome asks for must be there, what it does not know must not; groups come whole."""
    archived = members | {"original.pdf": b"%PDF", "record.json": b"{}"}
    whole = archived | {"sealed.pdf": b"%PDF", "seal-signature.bin": b"s", "seal-signature.tst": b"t"}
    for good in (archived, whole):
        assert read_bundle(build_bundle(good, outcome="archived", deposit_id=DEPOSIT)).outcome == "archived"
    bad = [("archived", members), ("rejected", archived), ("kept", members), ("rejected", whole)]
    bad += [("rejected", members | {extra: b""}) for extra in ("manifest.json", "CHECK.html", "other")]
    for outcome, good in (("archived", whole), ("rejected", members)):
        bad += [(outcome, {key: body for key, body in good.items() if key != name}) for name in good]
    for outcome, wrong in bad:
        with pytest.raises(BadBundle):
            build_bundle(wrong, outcome=outcome, deposit_id=DEPOSIT)


def test_the_page_explains_every_check_in_both_languages() -> None:
    """CHECK.html has a step for each check of the verifier, in its order, in French and in English."""
    assert list(link_texts()) == [name for name, _ in LINKS]
    page = check_page(outcome="archived", names=frozenset({"sealed.pdf"}), deposit_id=uuid4()).decode()
    for text in link_texts().values():
        assert page.count(f"<small>{text.name}</small>") == 2
    assert '<section id="fr" lang="fr">' in page
    assert '<section id="en" lang="en">' in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_salts_are_written_as_defined(vectors: Vectors) -> None:
    """archive-salts/v1 is what another implementation writes, and nothing else is read."""
    text = next(one["text"] for one in vectors["formats"]["bundle_members"] if one["name"] == "salts.json")
    salt = bytes.fromhex(vectors["formats"]["salt"])
    assert encode_salts({"verdict": salt, "original": salt}) == text.encode()
    assert parse_salts(text.encode()) == {"original": salt, "verdict": salt}
    for old, new in (("/v1", "/v2"), ('"original"', '"Original"'), (salt.hex(), "00"), ('{"orig', '{ "orig')):
        with pytest.raises(Malformed):
            parse_salts(text.replace(old, new).encode())
    with pytest.raises(Malformed):
        parse_salts(b'{"format":"archive-salts/v1","salts":[]}')
