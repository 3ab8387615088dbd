"""Every check on an embedded invoice. Each runs even where an earlier one failed, as far as it can."""

from __future__ import annotations

from archive_service.invoices import rule_sets
from archive_service.invoices.container import TOOL, Container, check_container, find_invoice
from archive_service.invoices.profiles import declared_profile
from archive_service.invoices.read import read_facts
from archive_service.invoices.xml import XmlRefused, parse
from archive_service.invoices.xsd import check_xsd
from archive_service.model import InvoiceFacts, InvoiceVerdict, NonConformant, Outcome, Profile
from archive_service.ports import SchematronValidator

FRANCE = "FR"


def check_invoice(facts: Container, *, schematron: SchematronValidator, profile: Profile) -> InvoiceVerdict:
    """Check container, XSD, Schematron and, for a French seller, the French CTC rules.

    XML that is not readable as an invoice gives an ``xsd`` outcome whose rule starts with ``invoice.xml.``.
    """
    invoice = find_invoice(facts)
    if invoice is None:
        return InvoiceVerdict(attachment=None)
    try:
        root = parse(invoice.data)
        declared = declared_profile(root)
    except XmlRefused as refused:
        return InvoiceVerdict(
            attachment=invoice.name,
            container=check_container(facts, invoice, None, profile),
            xsd=NonConformant(tool=TOOL, findings=(refused.finding,)),
        )
    said = read_facts(root, declared.profile)
    rule_set = rule_sets.rule_set_of(declared.profile)
    return InvoiceVerdict(
        attachment=invoice.name,
        profile=declared.profile,
        facts=said,
        container=check_container(facts, invoice, declared, profile),
        xsd=check_xsd(root, declared.profile),
        schematron=schematron.check(invoice.data, rule_set) if rule_set is not None else None,
        national=_national(invoice.data, said, rule_set, schematron),
    )


def _national(
    xml: bytes, said: InvoiceFacts, rule_set: str | None, schematron: SchematronValidator
) -> Outcome | None:
    """BR-FR, when the seller is in France (BT-40); the rules know CII only, so not ZUGFeRD 1."""
    if said.seller.country != FRANCE or rule_set is None:
        return None
    return schematron.check(xml, rule_sets.FRENCH_RULES)
