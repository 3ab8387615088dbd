"""The Factur-X container: how the invoice sits in the PDF (Factur-X 1.0x §6; ZUGFeRD 1 §4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from archive_service.invoices.findings import finding
from archive_service.invoices.profiles import NOT_A_VAT_INVOICE, Declared
from archive_service.model import (
    Conformant,
    Finding,
    InvoiceProfile,
    NonConformant,
    Outcome,
    Profile,
    Severity,
    Tool,
)

INVOICE_NAMES = ("factur-x.xml", "zugferd-invoice.xml", "ZUGFeRD-invoice.xml", "xrechnung.xml")
RELATIONSHIPS = ("Data", "Source", "Alternative")
KNOWN_LEVELS = frozenset(
    {"MINIMUM", "BASIC WL", "BASIC", "EN 16931", "COMFORT", "EXTENDED", "EXTENDED-CTC-FR", "XRECHNUNG"}
)
TOOL = Tool(name="Factur-X container rules", version="1")
_ROOTS = (b"CrossIndustryInvoice", b"CrossIndustryDocument")
_SNIFFED = 4096  # bytes of an XML file in which its root element's name is looked for


class EmbeddedFile(Protocol):
    """What is asked of an embedded file; ``pdf.embedded.Attachment`` is one."""

    @property
    def name(self) -> str: ...  # noqa: D102 - said by the class that has it
    @property
    def relationship(self) -> str | None: ...  # noqa: D102
    @property
    def data(self) -> bytes: ...  # noqa: D102
    @property
    def associated(self) -> bool: ...  # noqa: D102


class InvoiceClaim(Protocol):
    """What the XMP says of the invoice; ``pdf.xmp.FacturxXmp`` is one."""

    @property
    def document_type(self) -> str | None: ...  # noqa: D102
    @property
    def file_name(self) -> str | None: ...  # noqa: D102
    @property
    def version(self) -> str | None: ...  # noqa: D102
    @property
    def conformance_level(self) -> str | None: ...  # noqa: D102


class Container(Protocol):
    """A PDF's facts; ``pdf.facts.PdfFacts`` is one. The two packages do not import each other."""

    @property
    def attachments(self) -> Sequence[EmbeddedFile]: ...  # noqa: D102
    @property
    def facturx_xmp(self) -> InvoiceClaim | None: ...  # noqa: D102


def find_invoice(pdf: Container) -> EmbeddedFile | None:
    """Return the embedded invoice, None when there is none.

    With several, the one that the XMP names counts, if the XMP states a level that exists; else the first
    in the order of the name tree, as readers have it.
    """
    candidates = invoices_in(pdf)
    claim = pdf.facturx_xmp
    if claim is not None and claim.conformance_level in KNOWN_LEVELS:
        candidates = tuple(sorted(candidates, key=lambda each: each.name != claim.file_name))  # stable
    return candidates[0] if candidates else None


def invoices_in(pdf: Container) -> tuple[EmbeddedFile, ...]:
    """Return the files that are invoices by their name; when none is, those that are by their content."""
    named = tuple(each for each in pdf.attachments if each.name in INVOICE_NAMES)
    if named:
        return named
    return tuple(
        each
        for each in pdf.attachments
        if each.name.lower() in INVOICE_NAMES or any(root in each.data[:_SNIFFED] for root in _ROOTS)
    )


def check_container(
    pdf: Container, invoice: EmbeddedFile, declared: Declared | None, profile: Profile
) -> Outcome:
    """Check how the invoice is embedded and announced. ``declared`` is None when its XML was not readable."""
    findings = (
        *_attachment(pdf, invoice, declared),
        *_xmp(pdf.facturx_xmp, invoice, declared),
        *(_profile(declared, profile) if declared is not None else ()),
    )
    if any(each.severity is Severity.ERROR for each in findings):
        return NonConformant(tool=TOOL, findings=findings)
    return Conformant(tool=TOOL, findings=findings)


def _attachment(pdf: Container, invoice: EmbeddedFile, declared: Declared | None) -> Iterator[Finding]:
    if invoice.name not in INVOICE_NAMES:
        yield finding("facturx.attachment.name", name=invoice.name, expected=INVOICE_NAMES[0])
    others = [each.name for each in invoices_in(pdf)]
    if len(others) > 1:
        yield finding(
            "facturx.attachment.several",
            severity=Severity.WARNING,
            names=", ".join(others),
            chosen=invoice.name,
        )
    if not invoice.associated:
        yield finding("facturx.attachment.not-associated", name=invoice.name)
    data_only = declared is not None and declared.profile in NOT_A_VAT_INVOICE
    allowed = RELATIONSHIPS[:1] if data_only else RELATIONSHIPS
    if invoice.relationship not in allowed:
        yield finding(
            "facturx.attachment.relationship",
            name=invoice.name,
            relationship=invoice.relationship or "—",
            profile=declared.profile.value if declared is not None else "—",
            expected=", ".join(allowed),
        )


def _xmp(claim: InvoiceClaim | None, invoice: EmbeddedFile, declared: Declared | None) -> Iterator[Finding]:
    if claim is None:
        yield finding("facturx.xmp.missing")
        return
    if claim.document_type != "INVOICE":
        yield finding("facturx.xmp.document-type", value=claim.document_type or "—")
    if claim.file_name != invoice.name:
        yield finding("facturx.xmp.file-name", value=claim.file_name or "—", name=invoice.name)
    if not claim.version:
        yield finding("facturx.xmp.version")
    if declared is not None and claim.conformance_level not in declared.levels:
        yield finding(
            "facturx.xmp.conformance-level",
            value=claim.conformance_level or "—",
            expected=declared.levels[0],
        )


def _profile(declared: Declared, profile: Profile) -> Iterator[Finding]:
    name = declared.profile.value
    if not declared.published:
        yield finding(
            "facturx.profile.identifier",
            severity=Severity.WARNING,
            value=declared.identifier or "—",
            profile=name,
        )
    if declared.profile in NOT_A_VAT_INVOICE:
        yield finding("facturx.profile.not-a-vat-invoice", severity=Severity.WARNING, profile=name)
    if declared.profile is InvoiceProfile.XRECHNUNG:
        yield finding("facturx.profile.xrechnung-rules", severity=Severity.INFO)
    if declared.profile is InvoiceProfile.ZUGFERD_1:
        accepted = Severity.WARNING if profile.accept_zugferd_1 else Severity.ERROR
        yield finding("facturx.profile.zugferd-1", severity=accepted)
