"""What people and programs see of a verification; and that the verifier stays light."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from archive_service.cli.verify_command import language, print_report, report_json
from archive_service.verification import verify
from audit.bundle import read_bundle
from audit.reports import Report
from audit.sentences import sentences
from audit.texts import link_texts
from audit.verify import failed

PACKAGE = Path(__file__).parents[3] / "audit"


def shown(report: Any, tongue: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what is printed under that locale."""
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", tongue)
    output = io.StringIO()
    print_report(Path("evidence.zip"), report, console=Console(file=output, width=400))
    return output.getvalue()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "fr_BE"}, "fr"),
        ({"LANG": "fr_FR", "LC_ALL": ""}, "fr"),
    ],
)
def test_the_language_is_the_locale_s(environment: dict[str, str], expected: str) -> None:
    """LC_ALL before LC_MESSAGES before LANG, empty ones passed over (POSIX, Environment Variables)."""
    assert language(environment) == expected


def test_a_good_report_in_both_languages(archived: Any, maker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every check is a line, with its title in that language; what was not checked is counted at the end."""
    report = verify(read_bundle(archived.zip()), roots=maker.roots, log_vkey=archived.vkey)
    french = shown(report, "fr_FR.UTF-8", monkeypatch)
    english = shown(report, "en_GB.UTF-8", monkeypatch)
    for text in link_texts().values():
        assert text.title["fr"] in french
        assert text.title["en"] in english
    assert "14 liens prouvés, 2 non vérifiés" in french
    assert "14 links proved, 2 not checked" in english
    assert "conservée jusqu'au 2036-12-31T23:00:00.000Z" in french
    assert "kept until 2036-12-31T23:00:00.000Z" in english


def test_a_failure_says_what_to_do(archived: Any, maker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the reader's language, beside the check that failed."""
    changed = archived.zip(**{"verdict.json": b"{}"})
    report = verify(read_bundle(changed), roots=maker.roots, log_vkey=None)
    assert link_texts()["verdict"].advice["fr"] in shown(report, "fr_FR.UTF-8", monkeypatch)
    english = shown(report, "C", monkeypatch)
    assert link_texts()["verdict"].advice["en"] in english
    assert "THE EVIDENCE DOES NOT HOLD" in english


def test_markup_and_controls_in_a_bundle_s_words_are_text() -> None:
    """A hostile file, name or certificate cannot colour, move or hide what is printed about it."""
    words = "[green]held[/] \x1b[32mheld\x1b[0m\r\u202e"
    report = Report(checks=(failed("seal", words),))
    output = io.StringIO()
    print_report(Path(f"{words}.zip".replace("/", "|")), report, console=Console(file=output, width=400))
    assert "[green]held[/]" in output.getvalue()
    assert "[green]held[|]" in output.getvalue()
    assert not set("\x1b\r\u202e") & set(output.getvalue())


def test_the_report_for_programs(archived: Any, maker: Any) -> None:
    """One object: file, status, and every check by its stable name."""
    good = verify(read_bundle(archived.zip()), roots=maker.roots, log_vkey=None)
    bad = verify(read_bundle(archived.zip(**{"salts.json": b"{}"})), roots=maker.roots, log_vkey=None)
    path = Path("evidence.zip")
    assert report_json(path, good)["status"] == "verified"
    assert report_json(path, bad)["status"] == "not-verified"
    checks: Any = report_json(path, bad)["checks"]
    by_name = {check["name"]: check for check in checks}
    assert list(by_name) == list(link_texts())
    assert by_name["entry-commitments"]["status"] == "failed"
    assert by_name["entry-commitments"]["advice"]
    assert by_name["log-identity"] == {
        "name": "log-identity",
        "status": "not-checked",
        "detail": f"no known log key was given to compare with {archived.vkey}",
        "advice": None,
    }


def test_every_sentence_is_in_both_languages_with_the_same_facts() -> None:
    """No sentence lacks a language, a fact, or a place in the code."""
    source = "".join(path.read_text() for path in PACKAGE.glob("*.py"))
    for code, texts in sentences().items():
        facts = [sorted(re.findall(r"{(\w+)}", texts[tongue])) for tongue in ("fr", "en")]
        assert facts[0] == facts[1], code
        assert f'"{code}"' in source, code
    used = set(re.findall(r'\bsaid\(\s*"([a-z-]+)"', source))
    assert used == set(sentences())


def test_every_step_is_told_in_both_languages() -> None:
    """CHECK.html and the report have title, meaning, advice and commands for each check."""
    for text in link_texts().values():
        assert text.commands
        for part in (text.title, text.meaning, text.advice):
            assert set(part) == {"fr", "en"}
            assert all(part.values())


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("audit.verify", r"pyhanko|asn1crypto|fastapi|sqlalchemy|lxml|requests|httpx|pydantic"),
        ("archive_service.verification", r"fastapi|sqlalchemy|lxml|psycopg|httpx|minio|pydantic|pikepdf"),
    ],
)
def test_the_verifier_needs_little(module: str, heavy: str) -> None:
    """``audit`` alone, or with ``signing``: nothing that serves, stores or listens is imported."""
    code = f"import sys, {module}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    root = PACKAGE.parent
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert not [name for name in result.stdout.split() if re.fullmatch(heavy, name)]


@pytest.mark.long
def test_the_page_s_commands_work(archived: Any, tmp_path: Path) -> None:
    """Every command of CHECK.html runs, with openssl, jq, sha256sum and xxd, and says what it should.

    Long: it needs those tools, which the product does not. pdfsig is left to people.
    """
    with zipfile.ZipFile(io.BytesIO(archived.zip())) as archive:
        archive.extractall(tmp_path)
    said: dict[str, str] = {}
    for text in link_texts().values():
        lines = [line for line in text.commands if not line.startswith(("unzip", "pdfsig"))]
        script = "\n".join(["set -u", *lines])  # no -e: base64 grumbles about JWS's missing padding
        result = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, (text.name, result.stderr)
        said[text.name] = result.stdout
    assert said["manifest"].count(": OK\n") == 17
    for name in ("original-digest", "entry-digest", "entry-commitments"):
        assert len(set(re.findall(r"(?m)^[0-9a-f]{64}", said[name]))) == 1, name
    assert "Verified OK" in said["receipt-signature"]
    assert "Verification: OK" in said["checkpoint-time"]
    assert "Verification: OK" in said["seal-time"]
    assert "same" in said["seal"]
    assert "seal.pem: OK" in said["certificates"]
