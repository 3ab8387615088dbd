"""The page CHECK.html of a bundle: how to check each link with public tools, in French and English."""

from __future__ import annotations

import html
from pathlib import Path
from string import Template
from uuid import UUID

from audit.texts import Language, LinkText, link_texts

_HEADINGS: dict[Language, dict[str, str]] = {
    "fr": {
        "title": "Vérifier cette preuve",
        "archived": "La facture déposée a été archivée.",
        "rejected": "Le document déposé a été refusé ; ses octets n'ont pas été gardés.",
        "how": "Chaque étape ci-dessous se fait hors ligne, sans l'archive et sans lui faire confiance. "
        "La commande « archive verify » les fait toutes.",
        "deposit": "Dépôt",
        "tools": "Outils : ",
    },
    "en": {
        "title": "Check this evidence",
        "archived": "The invoice deposited was archived.",
        "rejected": "The document deposited was rejected; its bytes were not kept.",
        "how": "Every step below works offline, without the archive and without trusting it. "
        "The command “archive verify” does them all.",
        "deposit": "Deposit",
        "tools": "Tools: ",
    },
}
_TOOLS = "unzip, sha256sum, jq, openssl ≥ 1.1.1, xxd, pdfsig (poppler-utils)"


def check_page(*, outcome: str, names: frozenset[str], deposit_id: UUID) -> bytes:
    """Return the page for a bundle with these members. The same arguments give the same bytes."""
    template = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    languages: tuple[Language, ...] = ("fr", "en")
    sections = "\n".join(_section(language, outcome, names, deposit_id) for language in languages)
    return template.substitute(sections=sections).encode()


def _section(language: Language, outcome: str, names: frozenset[str], deposit_id: UUID) -> str:
    words = _HEADINGS[language]
    deposit = f"{words['deposit']} <code>{deposit_id}</code>"
    steps = "\n".join(_step(text, language, names) for text in link_texts().values())
    return (
        f'<section id="{language}" lang="{language}">\n<h1>{html.escape(words["title"])}</h1>\n'
        f"<p><strong>{html.escape(words[outcome])}</strong> {deposit}.</p>\n"
        f"<p>{html.escape(words['how'])}</p>\n<p>{words['tools']}{html.escape(_TOOLS)}</p>\n"
        f"<ol>\n{steps}\n</ol>\n</section>"
    )


def _step(text: LinkText, language: Language, names: frozenset[str]) -> str:
    head = (
        f"<li><h2>{html.escape(text.title[language])} <small>{text.name}</small></h2>\n"
        f"<p>{html.escape(text.meaning[language])}</p>"
    )
    if text.needs is not None and text.needs not in names:
        missing = {"fr": f"Ce dossier n'a pas {text.needs}.", "en": f"This bundle has no {text.needs}."}
        return f"{head}\n<p>{html.escape(missing[language])}</p></li>"
    return f"{head}\n<pre>{html.escape(chr(10).join(text.commands))}</pre></li>"
