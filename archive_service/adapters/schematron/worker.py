"""The child process that runs Schematron: ``python -m archive_service.adapters.schematron.worker``.

A request is a line ``SIZE RULE SET NAME`` and SIZE bytes of XML; an answer is a line with the length of a
JSON document, then that document. One Saxon processor lives here, used by one thread: in threads of one
process it crashed. Stylesheets are compiled when first asked for.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

import saxonche
from lxml import etree

from archive_service.adapters.schematron.svrl import read_svrl
from archive_service.invoices import rule_sets
from archive_service.invoices.xml import XmlRefused, parse


class Runner:
    """Compiled rule sets on one Saxon processor."""

    def __init__(self) -> None:
        self._saxon = saxonche.PySaxonProcessor(license=False)
        self._compiler = self._saxon.new_xslt30_processor()
        self._compiled: dict[str, Any] = {}
        self.version = str(self._saxon.version)

    def run(self, rule_set: str, xml: bytes) -> dict[str, Any]:
        """Return {"findings": […]} or {"error": sentence}."""
        try:
            # Saxon's parser would resolve entities: it gets text that ours has read and written anew.
            text = etree.tostring(parse(xml), encoding="unicode")
            document = self._saxon.parse_xml(xml_text=text)
            svrl = self._stylesheet(rule_set).transform_to_string(xdm_node=document)
            return {"findings": [asdict(one) for one in read_svrl(svrl.encode())]}
        except XmlRefused as refused:
            return {"error": f"not readable: {refused}"}
        except (saxonche.PySaxonApiError, etree.XMLSyntaxError, ValueError) as error:
            return {"error": f"{type(error).__name__}: {error}"[:1000]}

    def _stylesheet(self, rule_set: str) -> Any:
        if rule_set not in self._compiled:
            path = str(rule_sets.stylesheet(rule_set))
            self._compiled[rule_set] = self._compiler.compile_stylesheet(stylesheet_file=path)
        return self._compiled[rule_set]


def main() -> None:
    """Answer until standard input ends."""
    runner = Runner()
    _answer({"ready": runner.version})
    while line := sys.stdin.buffer.readline():
        size, rule_set = line.decode().rstrip("\n").split(" ", 1)
        _answer(runner.run(rule_set, sys.stdin.buffer.read(int(size))))


def _answer(value: dict[str, Any]) -> None:
    body = json.dumps(value).encode()
    sys.stdout.buffer.write(b"%d\n" % len(body) + body)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
