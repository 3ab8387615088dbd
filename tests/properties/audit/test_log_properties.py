"""Properties of the log and of canonical encoding, over what hypothesis draws."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.bundle import read_bundle
from audit.canonical import canonical_json
from audit.checkpoints import open_checkpoint
from audit.commitments import commit
from audit.entries import Commitment, Entry, EntryObject, decode_entry, encode_entry
from audit.errors import AuditError, BrokenProof
from audit.merkle import EMPTY_ROOT, check_consistency, check_inclusion, leaf_hash, node_hash
from audit.notes import NoteSigner, NoteVerifier
from audit.receipts import parse_receipt
from audit.statements import parse_statement
from audit.tiles import MemoryTiles, consistency_proof, grow, inclusion_proof, read_entry
from audit.tlog_proof import format_proof, parse_proof

SIGNER = NoteSigner(name="archive.example/logs/properties", seed=bytes(32))
VERIFIER = NoteVerifier.from_vkey(SIGNER.vkey)

READERS: list[Any] = [
    decode_entry,
    parse_receipt,
    parse_statement,
    parse_proof,
    read_bundle,
    VERIFIER.open,
    lambda data: open_checkpoint(data, VERIFIER),
]


def mth(entries: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word: the slow definition that everything else must agree with."""
    if not entries:
        return EMPTY_ROOT
    if len(entries) == 1:
        return leaf_hash(entries[0])
    k = 1
    while 2 * k < len(entries):
        k *= 2
    return node_hash(mth(entries[:k]), mth(entries[k:]))


def path(m: int, entries: list[bytes]) -> list[bytes]:
    """RFC 6962 §2.1.1, word for word."""
    if len(entries) == 1:
        return []
    k = 1
    while 2 * k < len(entries):
        k *= 2
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def subproof(m: int, entries: list[bytes], *, whole: bool) -> list[bytes]:
    """RFC 6962 §2.1.2, word for word."""
    if m == len(entries):
        return [] if whole else [mth(entries)]
    k = 1
    while 2 * k < len(entries):
        k *= 2
    if m <= k:
        return [*subproof(m, entries[:k], whole=whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], whole=False), mth(entries[:k])]


@given(batches=st.lists(st.integers(0, 300), min_size=1, max_size=6), data=st.data())
def test_however_it_grew_a_log_is_rfc_6962_s_tree(batches: list[int], data: st.DataObject) -> None:
    """Roots and proofs from tiles equal the RFC's definitions, and the checks accept them."""
    tiles, entries = MemoryTiles(), list[bytes]()
    for count in batches:
        fresh = [b"%d" % index for index in range(len(entries), len(entries) + count)]
        growth = grow(size=len(entries), entries=fresh, read=tiles.read)
        tiles.add(*growth.tiles)
        entries += fresh
        assert (growth.size, growth.root) == (len(entries), mth(entries))
    size, root = len(entries), mth(entries)
    if not entries:
        return
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index=index, size=size, read=tiles.read)
    assert list(proof) == path(index, entries)
    check_inclusion(leaf=leaf_hash(entries[index]), index=index, size=size, proof=proof, root=root)
    assert read_entry(index=index, size=size, read=tiles.read) == entries[index]
    old = data.draw(st.integers(0, size))
    between = consistency_proof(old_size=old, size=size, read=tiles.read)
    assert list(between) == (subproof(old, entries, whole=True) if old else [])
    check_consistency(old_size=old, old_root=mth(entries[:old]), new_size=size, new_root=root, proof=between)


@given(size=st.integers(1, 400), data=st.data())
def test_a_proof_fits_one_place_only(size: int, data: st.DataObject) -> None:
    """Whatever else is claimed (index, size, leaf, a changed hash), a right proof does not show it."""
    entries = [b"%d" % index for index in range(size)]
    tiles = MemoryTiles()
    root = grow(size=0, entries=entries, read=tiles.read)
    tiles.add(*root.tiles)
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(-1, size + 1))
    proof = inclusion_proof(index=index, size=size, read=tiles.read)
    if other != index:
        with pytest.raises(BrokenProof):
            check_inclusion(
                leaf=leaf_hash(entries[index]), index=other, size=size, proof=proof, root=root.root
            )
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        changed = (*proof[:at], bytes(32), *proof[at + 1 :])
        with pytest.raises(BrokenProof):
            check_inclusion(
                leaf=leaf_hash(entries[index]), index=index, size=size, proof=changed, root=root.root
            )


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
DIGESTS = st.binary(min_size=32, max_size=32)
ENTRIES = st.builds(
    Entry,
    entry_id=st.uuids(),
    at=st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC)).map(  # noqa: DTZ001 - hypothesis wants naive bounds and adds the zone
        lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
    ),
    action=st.builds("{}:{}".format, NAMES, NAMES),
    subject=st.uuids(),
    agent=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    objects=st.lists(
        st.builds(
            EntryObject,
            role=NAMES,
            sha256=DIGESTS,
            version_id=st.from_regex(r"[!-~]{1,64}", fullmatch=True),
            size=st.integers(0, 2**53 - 1),
        ),
        max_size=5,
        unique_by=lambda item: item.role,
    ).map(lambda items: tuple(sorted(items, key=lambda item: item.role))),
    commitments=st.dictionaries(NAMES, DIGESTS, max_size=5).map(
        lambda items: tuple(Commitment(field=name, value=items[name]) for name in sorted(items))
    ),
    details=st.dictionaries(
        NAMES,
        st.text(max_size=50) | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1),
        max_size=5,
    ).map(lambda items: tuple((name, items[name]) for name in sorted(items))),
)


@given(entry=ENTRIES)
def test_entries_come_back_as_they_went_in(entry: Entry) -> None:
    """What is written is read as it was, and has one text only: any other spelling is refused."""
    leaf = encode_entry(entry)
    assert decode_entry(leaf) == entry
    spaced = json.dumps(json.loads(leaf)).encode()
    with pytest.raises(AuditError):
        decode_entry(spaced)


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_canonical_json_says_the_same_and_is_sorted_as_rfc_8785_asks(value: Any) -> None:
    """Canonical text means what went in, and its members are in the order of their UTF-16 code units."""
    text = canonical_json({"value": value})
    assert json.loads(text) == {"value": value}

    def check(found: Any) -> None:
        if isinstance(found, dict):
            keys = list(found)
            assert keys == sorted(keys, key=lambda key: key.encode("utf-16-be"))
        for inner in found.values() if isinstance(found, dict) else found if isinstance(found, list) else []:
            check(inner)

    check(json.loads(text))


@given(
    one=st.tuples(NAMES, DIGESTS, DIGESTS),
    two=st.tuples(NAMES, DIGESTS, DIGESTS),
)
def test_commitments_to_different_things_differ(
    one: tuple[str, bytes, bytes], two: tuple[str, bytes, bytes]
) -> None:
    """No two fields, salts or digests share a commitment."""
    first, second = (commit(field=field, salt=salt, digest=digest) for field, salt, digest in (one, two))
    assert (first == second) == (one == two)


@given(
    index=st.integers(0, 2**40),
    proof=st.lists(DIGESTS, max_size=40).map(tuple),
    extra=st.none() | st.binary(max_size=100),
)
def test_proofs_come_back_as_they_went_in(index: int, proof: tuple[bytes, ...], extra: bytes | None) -> None:
    """tlog-proof text loses nothing and adds nothing."""
    note = SIGNER.sign("any text\n")
    read = parse_proof(format_proof(index=index, proof=proof, checkpoint=note, extra=extra))
    assert (read.index, read.proof, read.extra, read.checkpoint) == (index, proof, extra, note)


@given(lines=st.lists(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"])), max_size=5))
def test_notes_open_to_the_text_that_was_signed(lines: list[str]) -> None:
    """Any text without control characters, blank lines included."""
    text = "\n".join(lines) + "\n"
    assert VERIFIER.open(SIGNER.sign(text)) == text


@given(data=st.binary(max_size=2000))
def test_readers_refuse_noise_with_our_own_errors(data: bytes) -> None:
    """Random bytes never crash a reader."""
    for read in READERS:
        with pytest.raises(AuditError):
            read(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)


@given(entry=ENTRIES, data=st.data())
def test_entries_with_any_member_replaced_are_read_or_refused(entry: Entry, data: st.DataObject) -> None:
    """Put any JSON in place of any member: our own error, or an entry that encodes to the same bytes."""
    value = json.loads(encode_entry(entry))
    value[data.draw(st.sampled_from(sorted(value)))] = data.draw(JSON)
    leaf = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    try:
        read = decode_entry(leaf)
    except AuditError:
        return
    assert encode_entry(read) == leaf
