"""Signed notes, checkpoints and tlog-proofs against Go's implementations (C2SP)."""

from __future__ import annotations

from typing import Any

import pytest

from audit.checkpoints import Checkpoint, open_checkpoint, parse_checkpoint_text, sign_checkpoint
from audit.errors import BadCheckpoint, BadNote, Malformed, UnknownFormat
from audit.notes import NoteSigner, NoteVerifier
from audit.tlog_proof import format_proof, parse_proof

Vectors = dict[str, Any]


@pytest.fixture(scope="module")
def signer(vectors: Vectors) -> NoteSigner:
    """The vectors' log key."""
    return NoteSigner(name="archive.example/logs/vectors", seed=bytes.fromhex(vectors["seed"]))


@pytest.fixture(scope="module")
def verifier(vectors: Vectors) -> NoteVerifier:
    """Its verifier, from the key that Go printed."""
    return NoteVerifier.from_vkey(vectors["vkey"])


def test_notes_are_go_s_byte_for_byte(vectors: Vectors, signer: NoteSigner) -> None:
    """The same seed and text give the note and the verifier key that Go's sumdb/note gives."""
    assert signer.vkey == vectors["vkey"]
    for item in vectors["notes"]:
        assert signer.sign(item["text"]) == item["note"].encode()


def test_go_s_notes_open(vectors: Vectors, verifier: NoteVerifier) -> None:
    """Text with blank lines and accents comes back; a stranger's signature beside ours is passed over."""
    for item in [*vectors["notes"], vectors["two_signatures"]]:
        assert verifier.open(item["note"].encode()) == item["text"]


def test_a_note_by_another_key_does_not_open(vectors: Vectors) -> None:
    """A trusted key must have signed: a note by the log alone says nothing to the witness's verifier."""
    stranger = NoteVerifier.from_vkey(vectors["other_vkey"])
    assert stranger.open(vectors["two_signatures"]["note"].encode()) == "signed twice\n"
    with pytest.raises(BadNote, match="not signed by"):
        stranger.open(vectors["notes"][0]["note"].encode())


def test_every_changed_byte_of_a_note_is_seen(vectors: Vectors, verifier: NoteVerifier) -> None:
    """Flip any one byte of a note with one signature: it opens no more."""
    note = vectors["checkpoint"]["note"].encode()
    for at in range(len(note)):
        with pytest.raises(BadNote):
            verifier.open(note[:at] + bytes([note[at] ^ 1]) + note[at + 1 :])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda note: note[:-1],
        lambda note: note + b"\n",
        lambda note: note.replace(b"\n\n", b"\n"),
        lambda note: note.replace("— ".encode(), b"- "),
        lambda note: note.replace(b"one", b"o\tne"),
        lambda note: note + b"\xff\n",
        lambda note: note.split(b"\n\n")[0] + b"\n\n",
        lambda note: note[:-2] + b"\n",
        lambda note: note + note.split(b"\n\n")[1] * 40,
        lambda note: b"x" * 200_000 + note,
        lambda note: note + "— other.example AAAA\n".encode(),
        lambda _: b"",
    ],
)
def test_ill_formed_notes_are_refused(vectors: Vectors, verifier: NoteVerifier, spoil: Any) -> None:
    """Missing lines, control characters, bad UTF-8, bad base64, too many or too long: BadNote, no crash."""
    with pytest.raises(BadNote):
        verifier.open(spoil(vectors["notes"][0]["note"].encode()))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda vkey: vkey.replace("+022c9d0a+", "+022c9d0b+"),
        lambda vkey: vkey.replace("+A", "+B"),
        lambda vkey: vkey[:-4],
        lambda vkey: vkey.replace("/logs", "/log"),
        lambda vkey: vkey + "\n",
        lambda vkey: vkey.replace("/logs", " logs"),
        lambda _: "",
    ],
)
def test_ill_formed_verifier_keys_are_refused(vectors: Vectors, spoil: Any) -> None:
    """A key of another type or length, or whose id or name does not fit, is not used."""
    with pytest.raises(BadNote):
        NoteVerifier.from_vkey(spoil(vectors["vkey"]))


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b"])
def test_key_names_without_spaces_or_plus(name: str) -> None:
    """C2SP signed-note: non-empty, no Unicode space, no plus."""
    with pytest.raises(BadNote):
        NoteSigner(name=name, seed=bytes(32))


@pytest.mark.parametrize("text", ["", "no newline", "tab\there\n", "null\0\n"])
def test_texts_that_cannot_be_signed(signer: NoteSigner, text: str) -> None:
    """C2SP signed-note: ends with a newline, no control characters."""
    with pytest.raises(BadNote):
        signer.sign(text)


def test_checkpoints_are_go_s_byte_for_byte(
    vectors: Vectors, signer: NoteSigner, verifier: NoteVerifier
) -> None:
    """Written like transparency-dev's checkpoint signed by sumdb/note, and read back."""
    root = next(bytes.fromhex(item["root"]) for item in vectors["roots"] if item["size"] == 1000)
    checkpoint = Checkpoint(origin="archive.example/logs/vectors", size=1000, root=root)
    assert sign_checkpoint(checkpoint, signer) == vectors["checkpoint"]["note"].encode()
    assert open_checkpoint(vectors["checkpoint"]["note"].encode(), verifier) == checkpoint


def test_a_log_signs_and_opens_only_its_own_checkpoints(signer: NoteSigner, verifier: NoteVerifier) -> None:
    """The origin is the key's name: neither side takes another log's."""
    other = Checkpoint(origin="archive.example/logs/other", size=1, root=bytes(32))
    with pytest.raises(BadCheckpoint):
        sign_checkpoint(other, signer)
    with pytest.raises(BadCheckpoint):
        open_checkpoint(signer.sign(f"{other.origin}\n1\n{'A' * 43}=\n"), verifier)


@pytest.mark.parametrize(
    "text",
    [
        "log\n01\n{root}\n",
        "log\n-1\n{root}\n",
        "log\n1_0\n{root}\n",
        "log\n٣\n{root}\n",
        "log\n9999999999999999999\n{root}\n",
        "\n1\n{root}\n",
        "log\n1\n{root}\nextension\n",
        "log\n1\nAAAA\n",
        "log\n1\n{root}",
        "log\n1\n",
        "log\n1\n" + "A" * 42 + "B=\n",
        "log\n1\n" + "A" * 43 + "\n",
    ],
)
def test_ill_formed_checkpoints_are_refused(text: str) -> None:
    """Sizes with leading zeroes, signs or foreign digits, other roots, missing or more lines."""
    with pytest.raises(BadCheckpoint):
        parse_checkpoint_text(text.replace("{root}", "A" * 43 + "="))


def test_proofs_are_go_s_byte_for_byte(vectors: Vectors) -> None:
    """Read and written like transparency-dev's implementation of tlog-proof, with and without extra data."""
    for text, extra in [(vectors["tlog_proof"], None), (vectors["tlog_proof_with_extra"], b"extra")]:
        proof = parse_proof(text.encode())
        expected = next(i for i in vectors["inclusions"] if (i["index"], i["size"]) == (300, 1000))
        assert (proof.index, proof.extra) == (300, extra)
        assert [one.hex() for one in proof.proof] == expected["proof"]
        assert proof.checkpoint == vectors["checkpoint"]["note"].encode()
        again = format_proof(index=300, proof=proof.proof, checkpoint=proof.checkpoint, extra=extra)
        assert again == text.encode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@v1", "@v2"),
        ("index 300", "index 0300"),
        ("index 300", "index +300"),
        ("index 300", "300"),
        ("index 300\n", ""),
        ("index 300", "index 99999999999999999999"),
        ("qbKraFCT", "qbKr"),
        ("qbKraFCT", "qbKra*CT"),
        ("lwQ=\n", "lwR=\n"),
        ("c2sp.org", "é2sp.org"),
    ],
)
def test_ill_formed_proofs_are_refused(vectors: Vectors, old: str, new: str) -> None:
    """Another version, index forms that mean the same, bad hashes."""
    text = vectors["tlog_proof"]
    assert old in text
    with pytest.raises(Malformed):
        parse_proof(text.replace(old, new, 1).encode())


def test_a_proof_without_checkpoint_or_too_long_is_refused(vectors: Vectors) -> None:
    """Bounds hold before anything is parsed, and a later version is named as unknown."""
    text = vectors["tlog_proof"].encode()
    with pytest.raises(Malformed):
        parse_proof(text.split(b"\n\n")[0] + b"\n\n")
    with pytest.raises(Malformed):
        parse_proof(text + bytes(300_000))
    line = text.split(b"\n")[2]
    with pytest.raises(Malformed):
        parse_proof(text.replace(line, b"\n".join([line] * 64), 1))
    with pytest.raises(UnknownFormat):
        parse_proof(text.replace(b"@v1", b"@v9"))
