"""Check a whole log from what it publishes: entry bundles, tiles, checkpoint, stamps. On trust: nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from audit.checkpoints import Checkpoint, open_checkpoint
from audit.errors import AuditError, BadTile
from audit.merkle import EMPTY_ROOT, fold, leaf_hash, node_hash
from audit.notes import NoteVerifier
from audit.statements import parse_statement
from audit.tiles import TILE_WIDTH, ReadObject, read_entries, read_hashes, tile_path, tile_places, tree_root

Visit = Callable[[int, bytes], None]
"""Look at an entry: its index and bytes. Raises AuditError for one that is not what it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFinding:
    """Something that is not as the log says: where (a path below the log, or an entry) and what."""

    place: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReport:
    """What the checkpoint says of the log, and every finding. No findings: the log is whole."""

    checkpoint: Checkpoint
    findings: tuple[LogFinding, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def check_log(
    *, read: ReadObject, checkpoint: bytes, verifier: NoteVerifier, visit: Visit | None = None
) -> LogReport:
    """Compute every tile and the root anew from the entry bundles, and compare.

    Memory stays the same however large the log is: a tile of each level. ``visit`` sees each entry in order.
    Raises BadNote, BadCheckpoint when the checkpoint is not this log's; everything else is a finding.
    """
    head = open_checkpoint(checkpoint, verifier)
    checker = _Checker(read=read, visit=visit)
    checker.run(head)
    return LogReport(checkpoint=head, findings=tuple(checker.findings))


@dataclass(slots=True, kw_only=True)
class _Checker:
    read: ReadObject
    visit: Visit | None
    findings: list[LogFinding] = field(default_factory=list)
    pending: dict[int, list[bytes]] = field(default_factory=dict)  # by level: the unfinished tile
    frontier: list[tuple[int, bytes]] = field(default_factory=list)  # complete subtrees, largest first
    done: dict[int, int] = field(default_factory=dict)  # level: full tiles so far

    def run(self, head: Checkpoint) -> None:
        """Read every bundle; without one of them neither the tiles above nor the root can be known."""
        for index, _ in tile_places(head.size):
            path = tile_path("entries", index)
            try:
                entries = read_entries(index=index, size=head.size, read=self.read)
            except (KeyError, BadTile) as error:
                self._found(path, f"missing or unreadable: {error}")
                return
            for offset, entry in enumerate(entries):
                self._entry(index * TILE_WIDTH + offset, entry)
        for level in sorted(self.pending):
            if self.pending[level]:
                self._compare(level, self.done.get(level, 0), self.pending[level])
        if self._root() != head.root:
            self._found("checkpoint", "its root is not that of the entries")

    def _entry(self, index: int, entry: bytes) -> None:
        if self.visit is not None:
            try:
                self.visit(index, entry)
            except AuditError as error:
                self._found(f"entry {index}", str(error))
        leaf = leaf_hash(entry)
        self._grow(leaf)
        self._add(0, leaf)

    def _grow(self, leaf: bytes) -> None:
        height, current = 0, leaf
        while self.frontier and self.frontier[-1][0] == height:
            current = node_hash(self.frontier.pop()[1], current)
            height += 1
        self.frontier.append((height, current))

    def _root(self) -> bytes:
        if not self.frontier:
            return EMPTY_ROOT
        *left, (_, root) = self.frontier
        for _, one in reversed(left):
            root = node_hash(one, root)
        return root

    def _add(self, level: int, value: bytes) -> None:
        hashes = self.pending.setdefault(level, [])
        hashes.append(value)
        if len(hashes) == TILE_WIDTH:
            index = self.done.get(level, 0)
            self._compare(level, index, hashes)
            self.done[level], self.pending[level] = index + 1, []
            self._add(level + 1, fold(hashes))

    def _compare(self, level: int, index: int, expected: list[bytes]) -> None:
        path = tile_path(level, index, len(expected))
        try:
            if read_hashes(level, index, len(expected), self.read) != expected:
                self._found(path, "its hashes are not those of the entries")
        except (KeyError, BadTile) as error:
            self._found(path, f"missing or unreadable: {error}")

    def _found(self, place: str, problem: str) -> None:
        self.findings.append(LogFinding(place=place, problem=problem))


def check_stamps(
    *, stamps: Iterable[tuple[bytes, bytes]], read: ReadObject, head: Checkpoint, verifier: NoteVerifier
) -> tuple[LogFinding, ...]:
    """Check a log's (statement, token) pairs, oldest first, against a log that ``check_log`` found clean.

    1. each statement names the token before it: none was left out;
    2. its checkpoint is the log's, grows, and has the root that the log had at that size.

    The tokens themselves are for ``signing`` to verify. Memory: one stamp.
    """
    return tuple(_stamp_findings(stamps, read, head, verifier))


def _stamp_findings(
    stamps: Iterable[tuple[bytes, bytes]], read: ReadObject, head: Checkpoint, verifier: NoteVerifier
) -> Iterator[LogFinding]:
    previous, size = None, 0
    for number, (text, token) in enumerate(stamps):
        place = f"stamp {number}"
        try:
            named = parse_statement(text)
            stamped = open_checkpoint(named.checkpoint, verifier)
            if named.previous_token_sha256 != previous:
                yield LogFinding(place=place, problem="it does not name the token before it: one is missing")
            if not size <= stamped.size <= head.size:
                yield LogFinding(place=place, problem=f"its tree of {stamped.size} entries is out of order")
            elif tree_root(stamped.size, read) != stamped.root:
                yield LogFinding(place=place, problem="its root is not the one that the log had: a fork")
            size = max(size, stamped.size)
        except (AuditError, KeyError) as error:
            yield LogFinding(place=place, problem=f"unreadable: {error}")
        previous = hashlib.sha256(token).digest()
