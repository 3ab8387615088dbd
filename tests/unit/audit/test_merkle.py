"""RFC 6962 §2.1: hashes and the checking of proofs."""

from __future__ import annotations

from typing import Any

import pytest

from audit.errors import BrokenProof
from audit.merkle import EMPTY_ROOT, check_consistency, check_inclusion, fold, leaf_hash, node_hash, split

Vectors = dict[str, Any]

# The eight leaves and the roots of their prefixes that the Certificate Transparency project publishes with
# its reference implementation (merkle_tree_test), and most implementations of RFC 6962 repeat.
CT_LEAVES = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
]  # fmt: skip
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def root_of(leaves: list[bytes]) -> bytes:
    """MTH, written down as RFC 6962 §2.1 defines it."""
    if len(leaves) < 2:
        return leaf_hash(leaves[0]) if leaves else EMPTY_ROOT
    middle = split(len(leaves))
    return node_hash(root_of(leaves[:middle]), root_of(leaves[middle:]))


def test_roots_are_those_of_the_reference_implementation() -> None:
    """Hashing of leaves, nodes and the empty tree is RFC 6962's, with its domain separation."""
    leaves = [bytes.fromhex(leaf) for leaf in CT_LEAVES]
    assert EMPTY_ROOT.hex() == CT_EMPTY
    assert [root_of(leaves[:size]).hex() for size in range(1, 9)] == CT_ROOTS
    assert fold([leaf_hash(leaf) for leaf in leaves]).hex() == CT_ROOTS[7]


def roots(vectors: Vectors) -> dict[int, bytes]:
    """Return the roots that Go computed, by size."""
    return {item["size"]: bytes.fromhex(item["root"]) for item in vectors["roots"]}


def hashes(item: dict[str, Any]) -> tuple[bytes, ...]:
    """Return a vector's proof."""
    return tuple(bytes.fromhex(one) for one in item["proof"])


def test_go_s_inclusion_proofs_hold(vectors: Vectors) -> None:
    """Proofs made by Go's sumdb/tlog are accepted, for trees of 1 to 70,000 entries."""
    known = roots(vectors)
    checked = 0
    for item in vectors["inclusions"]:
        if item["size"] in known:
            leaf = leaf_hash(b"entry %d" % item["index"])
            check_inclusion(
                leaf=leaf,
                index=item["index"],
                size=item["size"],
                proof=hashes(item),
                root=known[item["size"]],
            )
            checked += 1
    assert checked >= 15


def test_an_inclusion_proof_holds_for_nothing_else(vectors: Vectors) -> None:
    """Another leaf, index, size or root, a changed, missing or added hash: each is refused."""
    item = next(one for one in vectors["inclusions"] if (one["index"], one["size"]) == (300, 1000))
    right: dict[str, Any] = {
        "leaf": leaf_hash(b"entry 300"),
        "index": 300,
        "size": 1000,
        "proof": hashes(item),
        "root": roots(vectors)[1000],
    }
    check_inclusion(**right)
    changed = tuple(bytes(32) if at == 4 else one for at, one in enumerate(right["proof"]))
    for name, value in [
        ("leaf", leaf_hash(b"entry 301")),
        ("leaf", b"entry 300"),
        ("index", 301),
        ("index", 1000),
        ("index", -1),
        ("size", 300),
        ("size", 2000),
        ("size", 2**70),
        ("root", roots(vectors)[513]),
        ("root", b""),
        ("proof", changed),
        ("proof", right["proof"][:-1]),
        ("proof", (*right["proof"], bytes(32))),
        ("proof", (*right["proof"][:-1], b"short")),
        ("proof", ()),
    ]:
        with pytest.raises(BrokenProof):
            check_inclusion(**(right | {name: value}))


def test_a_tree_has_no_entries_beside_its_own() -> None:
    """Without the bound on the index, the one entry of a tree would prove every index."""
    leaf = leaf_hash(b"alone")
    check_inclusion(leaf=leaf, index=0, size=1, proof=(), root=leaf)
    for index, size in ((1, 1), (-1, 1), (0, 0), (7, 1)):
        with pytest.raises(BrokenProof):
            check_inclusion(leaf=leaf, index=index, size=size, proof=(), root=leaf)


def test_go_s_consistency_proofs_hold(vectors: Vectors) -> None:
    """Proofs made by Go's sumdb/tlog that one tree begins with another are accepted."""
    known = roots(vectors)
    pairs = [item for item in vectors["consistency"] if {item["old_size"], item["size"]} <= set(known)]
    assert len(pairs) >= 13
    for item in pairs:
        check_consistency(
            old_size=item["old_size"],
            old_root=known[item["old_size"]],
            new_size=item["size"],
            new_root=known[item["size"]],
            proof=hashes(item),
        )


def test_a_consistency_proof_holds_for_nothing_else(vectors: Vectors) -> None:
    """A fork, a shrunk log, a changed, missing or added hash: each is refused."""
    known = roots(vectors)
    item = next(one for one in vectors["consistency"] if (one["old_size"], one["size"]) == (512, 1000))
    right: dict[str, Any] = {
        "old_size": 512,
        "old_root": known[512],
        "new_size": 1000,
        "new_root": known[1000],
        "proof": hashes(item),
    }
    check_consistency(**right)
    for name, value in [
        ("old_root", known[511]),
        ("new_root", known[513]),
        ("old_size", 511),
        ("old_size", 1001),
        ("old_size", -1),
        ("old_size", 0),
        ("old_size", 1000),
        ("proof", right["proof"][:-1]),
        ("proof", (*right["proof"], bytes(32))),
        ("proof", (bytes(32), *right["proof"][1:])),
    ]:
        with pytest.raises(BrokenProof):
            check_consistency(**(right | {name: value}))


def test_every_tree_extends_the_empty_one_and_itself(vectors: Vectors) -> None:
    """The two cases without hashes: only the right roots pass, and only an empty proof."""
    root = roots(vectors)[7]
    check_consistency(old_size=0, old_root=EMPTY_ROOT, new_size=7, new_root=root, proof=())
    check_consistency(old_size=7, old_root=root, new_size=7, new_root=root, proof=())
    with pytest.raises(BrokenProof):
        check_consistency(old_size=0, old_root=root, new_size=7, new_root=root, proof=())
    with pytest.raises(BrokenProof):
        check_consistency(old_size=7, old_root=root, new_size=7, new_root=EMPTY_ROOT, proof=())
    with pytest.raises(BrokenProof):
        check_consistency(old_size=7, old_root=root, new_size=7, new_root=root, proof=(root,))
