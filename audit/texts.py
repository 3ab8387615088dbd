"""What each check means, how to make it with public tools, what to do when it fails: French and English."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Language = Literal["fr", "en"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkText:
    """One check, for people: a short title, what it proves, what to do when it fails, and commands."""

    name: str
    title: dict[Language, str]
    meaning: dict[Language, str]
    advice: dict[Language, str]
    commands: tuple[str, ...]
    needs: str | None  # a member without which the commands make no sense


@cache
def link_texts() -> dict[str, LinkText]:
    """Return the texts by check, in the order of the checks."""
    found = json.loads(Path(__file__).with_name("texts.json").read_text(encoding="utf-8"))
    return {
        name: LinkText(
            name=name,
            title=text["title"],
            meaning=text["meaning"],
            advice=text["advice"],
            commands=tuple(text["commands"]),
            needs=text.get("needs"),
        )
        for name, text in found.items()
    }


def advice(name: str, language: Language) -> str:
    """Return what to do when a check failed."""
    return link_texts()[name].advice[language]
