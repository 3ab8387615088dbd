"""Merkle tree hashing and the checking of proofs (RFC 6962 §2.1). Every hash is SHA-256: 32 bytes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from audit.errors import BrokenProof

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()  # RFC 6962 §2.1: the hash of an empty list
MAX_SIZE = 2**63 - 1  # what Go's int64 clients of tlog-tiles can hold


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf. The first byte keeps leaves and nodes apart."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """Return RFC 6962's k: the largest power of two smaller than ``size`` (at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the tree hash over hashes of equal, complete subtrees."""
    if not hashes:
        return EMPTY_ROOT
    if len(hashes) == 1:
        return hashes[0]
    middle = split(len(hashes))
    return node_hash(fold(hashes[:middle]), fold(hashes[middle:]))


def check_inclusion(*, leaf: bytes, index: int, size: int, proof: tuple[bytes, ...], root: bytes) -> None:
    """Check that ``leaf`` (its leaf hash) is at ``index`` of the tree of ``size`` leaves with that root.

    ``proof`` runs from the leaf's sibling up to the root's child (RFC 6962 §2.1.1). Raises BrokenProof.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise BrokenProof(f"there is no entry {index} in a tree of {size}")
    _check_hashes(leaf, root, *proof)
    sides = _path(index, size)
    if len(sides) != len(proof):
        raise BrokenProof(f"the proof has {len(proof)} hashes where the tree asks for {len(sides)}")
    current = leaf
    for sibling_is_left, sibling in zip(reversed(sides), proof, strict=True):
        current = node_hash(sibling, current) if sibling_is_left else node_hash(current, sibling)
    if not hmac.compare_digest(current, root):
        raise BrokenProof("the inclusion proof does not lead to the checkpoint's root")


def _path(index: int, size: int) -> list[bool]:
    """Return, from the root down, whether the sibling of each node on the way is the left one."""
    sides = []
    while size > 1:
        middle = split(size)
        right = index >= middle
        sides.append(right)
        index, size = (index - middle, size - middle) if right else (index, middle)
    return sides


def check_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: tuple[bytes, ...]
) -> None:
    """Check that the tree of ``new_size`` begins with the tree of ``old_size`` (RFC 6962 §2.1.2).

    Raises BrokenProof.
    """
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise BrokenProof(f"a tree of {new_size} cannot extend one of {old_size}")
    _check_hashes(old_root, new_root, *proof)
    if old_size in (0, new_size):
        if proof:
            raise BrokenProof("this consistency proof must be empty")
        _equal(old_root, EMPTY_ROOT if old_size == 0 else new_root)
        return
    old, new = _rebuild(old_size, new_size, old_root, list(proof), whole=True)
    _equal(old, old_root)
    _equal(new, new_root)


def _rebuild(
    old_size: int, size: int, old_root: bytes, proof: list[bytes], *, whole: bool
) -> tuple[bytes, bytes]:
    """Return the roots of both trees as SUBPROOF gives them, using up the proof from its end.

    ``whole``: RFC 6962's b, true while this subtree's old part is the old tree itself, whose root is known.
    """
    if old_size == size:
        known = old_root if whole else _take(proof)
        if proof:
            raise BrokenProof("the consistency proof has hashes too many")
        return known, known
    middle, sibling = split(size), _take(proof)
    if old_size <= middle:
        old, new = _rebuild(old_size, middle, old_root, proof, whole=whole)
        return old, node_hash(new, sibling)
    old, new = _rebuild(old_size - middle, size - middle, old_root, proof, whole=False)
    return node_hash(sibling, old), node_hash(sibling, new)


def _take(proof: list[bytes]) -> bytes:
    if not proof:
        raise BrokenProof("the consistency proof has hashes too few")
    return proof.pop()


def _equal(found: bytes, expected: bytes) -> None:
    if not hmac.compare_digest(found, expected):
        raise BrokenProof("the consistency proof does not lead to both roots")


def _check_hashes(*hashes: bytes) -> None:
    if any(len(one) != HASH_BYTES for one in hashes):
        raise BrokenProof("a hash must have 32 bytes")
