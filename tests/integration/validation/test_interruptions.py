"""Hostile documents, kills and missing parts: an outcome each time, never a hang or an orphan."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pikepdf
import pytest

from archive_service.adapters.schematron import Schematron
from archive_service.adapters.verapdf import VeraPdf
from archive_service.model import Cause, Conformant, CouldNotRun, NonConformant
from archive_service.pdf.children import Child, ChildEnded, ChildSilent, Pool
from archive_service.pdf.guard import CheckInterrupted, PdfReader


@pytest.fixture
def plain_pdf(tmp_path: Path) -> Path:
    """A readable PDF with one empty page and no claim to be PDF/A."""
    return _write_pdf(tmp_path / "plain.pdf", b"")


def test_a_killed_verapdf_is_a_crash_and_the_next_document_gets_its_verdict(
    java: Path, verapdf_jar: Path, plain_pdf: Path
) -> None:
    """SIGKILL while idle: the first verdict could not run, the second comes from a new process."""
    validator = VeraPdf(java, verapdf_jar, workers=1, deadline=30)
    try:
        assert isinstance(validator.validate(plain_pdf).outcome, NonConformant)
        (pid,) = validator.pids()
        os.kill(pid, signal.SIGKILL)
        _wait_gone(pid)
        outcome = validator.validate(plain_pdf).outcome
        assert isinstance(outcome, CouldNotRun)
        assert outcome.cause is Cause.CRASH
        assert isinstance(validator.validate(plain_pdf).outcome, NonConformant)
        assert validator.pids() != (pid,)
    finally:
        validator.close()


def test_a_document_that_takes_verapdf_too_long_meets_the_deadline(
    java: Path, verapdf_jar: Path, tmp_path: Path, plain_pdf: Path
) -> None:
    """A content stream of two million operators outlasts half a second; the process is gone after it."""
    slow = _write_pdf(tmp_path / "slow.pdf", b"0 0 m 1 1 l S\n" * 700_000)
    validator = VeraPdf(java, verapdf_jar, workers=1, deadline=0.5)
    try:
        outcome = validator.validate(slow).outcome
        assert isinstance(outcome, CouldNotRun)
        assert outcome.cause is Cause.DEADLINE
        assert validator.pids() == ()
        validator._deadline = 30
        assert isinstance(validator.validate(plain_pdf).outcome, NonConformant)
    finally:
        validator.close()


def test_a_document_that_exhausts_verapdf_s_memory_says_so(
    java: Path, verapdf_jar: Path, tmp_path: Path
) -> None:
    """With a heap of 24 MB, a page of two million operands is MEMORY, not a crash and not a verdict."""
    large = _write_pdf(tmp_path / "large.pdf", b"[" + b"1 " * 4_000_000 + b"] 0 d\n")
    validator = VeraPdf(java, verapdf_jar, workers=1, deadline=60, max_heap_mb=24)
    try:
        outcome = validator.validate(large).outcome
        assert isinstance(outcome, CouldNotRun)
        assert outcome.cause is Cause.MEMORY
    finally:
        validator.close()


@pytest.mark.parametrize("missing", ["java", "jar"])
def test_a_missing_part_is_unavailable(
    java: Path, verapdf_jar: Path, plain_pdf: Path, tmp_path: Path, missing: str
) -> None:
    """Without the JRE or the jar nothing can run, and the outcome says that it is ours to mend."""
    nowhere = tmp_path / "nowhere"
    validator = VeraPdf(
        nowhere if missing == "java" else java, nowhere if missing == "jar" else verapdf_jar, 1, 5.0
    )
    outcome = validator.validate(plain_pdf).outcome
    validator.close()
    assert isinstance(outcome, CouldNotRun)
    assert outcome.cause is Cause.UNAVAILABLE


def test_verapdf_serves_many_threads_and_mixes_nothing_up(
    java: Path, verapdf_jar: Path, plain_pdf: Path, tmp_path: Path
) -> None:
    """Eight threads on two processes: a damaged file's verdict never lands on a good one."""
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(plain_pdf.read_bytes()[:200])
    validator = VeraPdf(java, verapdf_jar, workers=2, deadline=30)
    try:
        with ThreadPoolExecutor(8) as threads:
            paths = [plain_pdf, broken] * 20
            verdicts = list(threads.map(validator.validate, paths))
        rules = [verdict.outcome.findings[0].rule for verdict in verdicts]
        assert rules == ["verapdf:no-claim", "verapdf:parse"] * 20
        assert len(validator.pids()) <= 2
    finally:
        validator.close()
    assert validator.pids() == ()


def test_a_killed_schematron_process_is_a_crash_then_replaced() -> None:
    """SIGKILL of the child: that document could not run, the next one can."""
    validator = Schematron(workers=1, deadline=30)
    try:
        assert isinstance(validator.check(b"<a/>", "fr-ctc"), Conformant)
        (pid,) = validator.pids()
        os.kill(pid, signal.SIGKILL)
        _wait_gone(pid)
        assert isinstance(validator.check(b"<a/>", "fr-ctc"), CouldNotRun)
        assert isinstance(validator.check(b"<a/>", "fr-ctc"), Conformant)
    finally:
        validator.close()


def test_schematron_never_resolves_what_a_doctype_names(tmp_path: Path) -> None:
    """The adapter itself refuses a DOCTYPE: Saxon's own parser would read the file that it names."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    xml = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><a>&x;</a>'.encode()
    validator = Schematron(workers=1, deadline=30)
    try:
        outcome = validator.check(xml, "fr-ctc")
        assert isinstance(outcome, CouldNotRun)
        assert "DOCTYPE" in outcome.detail
        assert isinstance(validator.check(b"<a>", "fr-ctc"), CouldNotRun)  # and not well-formed
    finally:
        validator.close()


def test_a_reader_beyond_its_deadline_is_interrupted(tmp_path: Path) -> None:
    """A file that never ends to be read (a pipe without a writer) costs the deadline, and a process."""
    pipe = tmp_path / "pipe.pdf"
    os.mkfifo(pipe)
    reader = PdfReader(workers=1, deadline=0.5)
    try:
        with pytest.raises(CheckInterrupted) as interrupted:
            reader.read(pipe)
        assert interrupted.value.cause is Cause.DEADLINE
        assert reader.pids() == ()
    finally:
        reader.close()


def test_children_see_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in our environment (a database's address) is not in the child's."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    script = "import os; print(repr(dict(os.environ)))"
    child = Child(lambda _: (sys.executable, "-c", script))
    environment = child.read_line(until=time.monotonic() + 10)
    child.kill()
    child.release()
    assert b"LANG" in environment
    assert b"secret" not in environment


def test_an_answer_that_comes_late_is_never_taken_for_the_next_one() -> None:
    """After a timeout the child is dropped: the next request gets a new process, not the old answer."""
    script = "import sys,time\nfor l in sys.stdin: time.sleep(0.5); print(l, end='', flush=True)"
    pool = Pool(lambda: Child(lambda _: (sys.executable, "-c", script)), size=1, recycle_after=10)
    try:
        with pytest.raises(ChildSilent):
            _echo(pool, b"first", seconds=0.2)
        assert _echo(pool, b"second", seconds=5) == b"second"
    finally:
        pool.close()


def test_a_worn_out_child_is_replaced() -> None:
    """After ``recycle_after`` uses another process serves."""
    pool = Pool(lambda: Child(lambda _: ("/bin/cat",)), size=1, recycle_after=2)
    try:
        pids = []
        for _ in range(4):
            with pool.lease() as child:
                pids.append(child.pid)
        assert pids[0] == pids[1] != pids[2] == pids[3]
    finally:
        pool.close()


def test_closing_the_pool_ends_a_child_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """close() from another thread interrupts whoever waits, and leaves no process and no folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    pool = Pool(lambda: Child(lambda _: ("/bin/sleep", "60")), size=1, recycle_after=2)
    threading.Timer(0.5, pool.close).start()
    with pytest.raises(ChildEnded):
        _echo(pool, b"", seconds=30)
    assert pool.pids() == ()
    assert list(tmp_path.iterdir()) == []


def test_busy_children_die_with_a_process_that_is_killed(tmp_path: Path) -> None:
    """SIGKILL of ours while a child loops and reads nothing: the kernel ends it; a later start sweeps up."""
    script = textwrap.dedent(
        """
        import sys, time
        from archive_service.pdf.children import Child
        busy = "print('busy', flush=True)\\nwhile True: pass"
        child = Child(lambda _: (sys.executable, "-c", busy))
        child.read_line(until=time.monotonic() + 30)
        print(child.pid, child.folder, flush=True)
        time.sleep(60)
        """
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment) as owner:
        assert owner.stdout is not None
        pid, folder = owner.stdout.readline().decode().split()
        owner.kill()
    _wait_gone(int(pid))
    assert Path(folder).is_dir()  # nobody was left to remove it

    again = script.replace("time.sleep(60)", "child.kill()")
    subprocess.run([sys.executable, "-c", again], check=True, env=environment, timeout=30)
    assert not Path(folder).exists()


def _echo(pool: Pool, line: bytes, *, seconds: float) -> bytes:
    with pool.lease() as child:
        child.write(line + b"\n", until=time.monotonic() + 5)
        return child.read_line(until=time.monotonic() + seconds)


def _write_pdf(path: Path, content: bytes) -> Path:
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(100, 100))
    pdf.pages[0].Contents = pdf.make_stream(content)
    pdf.save(path)
    return path


def _wait_gone(pid: int) -> None:
    """Wait until a process has ended; one that we have not reaped yet counts as ended."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return
        except FileNotFoundError:
            return
        time.sleep(0.02)
    pytest.fail(f"process {pid} is still there")
