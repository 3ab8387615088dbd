"""Verify evidence bundles offline: ``audit`` for digests and log, ``signing`` for seals and tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asn1crypto import x509

from audit import names
from audit.bundle import MAX_BUNDLE_BYTES, Bundle, read_bundle
from audit.errors import AuditError, BadBundle, SignatureRefused
from audit.receipts import RECEIPT_TYPE
from audit.reports import JwsReport, Report, SealReport, TokenReport
from audit.verify import failed, verify_bundle
from signing.certificates import fingerprint, load_pem, subject, to_pem
from signing.checks import OfflineChecks
from signing.cms_checks import open_cms
from signing.errors import SigningError, TokenRefused
from signing.jades import verify_compact
from signing.pades import seal_material


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except SigningError as error:
        raise SignatureRefused(str(error)) from error


class BundleChecks:
    """``audit.reports.SignatureChecks`` by ``signing``. No network, no clock."""

    def __init__(self, *, roots: tuple[x509.Certificate, ...], from_auditor: bool) -> None:
        self._roots, self._from_auditor = roots, from_auditor
        self._checks = OfflineChecks(roots=roots)

    @property
    def roots_are_the_auditor_s(self) -> bool:
        """Whether the roots came from whoever checks, not out of the bundle."""
        return self._from_auditor

    @property
    def root_fingerprints(self) -> tuple[str, ...]:
        """SHA-256 of each root's DER."""
        return tuple(fingerprint(root) for root in self._roots)

    def check_seal(self, sealed: bytes, original: bytes) -> SealReport:
        """Check a seal against the original. Raises SignatureRefused."""
        with _refusing():
            facts = self._checks.check_seal(sealed, original)
            material = seal_material(sealed)
        return SealReport(
            level=facts.level,
            signer=_common_name(material.seal_certificates[0]),
            token_time=facts.token_time,
            tsa=_common_name(material.tsa_certificates[0]),
            signature=material.signature,
            token=material.token,
            seal_certificates=material.seal_certificates,
            tsa_certificates=material.tsa_certificates,
        )

    def check_token(self, token: bytes, data: bytes) -> TokenReport:
        """Check a token over the SHA-256 of ``data``. Raises SignatureRefused."""
        with _refusing():
            facts = self._checks.check_token(token, data)
            parts = open_cms(token, refusal=TokenRefused)
        certificates = tuple(one.dump() for one in (parts.signer, *parts.others))
        return TokenReport(time=facts.time, tsa=_common_name(certificates[0]), certificates=certificates)

    def check_jws(self, compact: bytes) -> JwsReport:
        """Check a receipt's signature. Raises SignatureRefused."""
        with _refusing():
            verified = verify_compact(compact, roots=self._roots, typ=RECEIPT_TYPE)
        certificates = _x5c(compact)
        return JwsReport(
            payload=verified.payload,
            signed_at=verified.signed_at,
            signer=_common_name(certificates[0]),
            certificates=certificates,
        )

    def read_pem(self, pem: bytes) -> tuple[bytes, ...]:
        """Return the DER of each certificate. Raises SignatureRefused."""
        with _refusing():
            return tuple(certificate.dump() for certificate in load_pem(pem))

    def to_pem(self, certificates: tuple[bytes, ...]) -> bytes:
        """Return certificates as PEM, in their order."""
        return to_pem(x509.Certificate.load(der) for der in certificates)


def _common_name(der: bytes) -> str:
    """Return the name by which people know a certificate's holder; the whole subject where it has none."""
    certificate = x509.Certificate.load(der)
    name = certificate.subject.native.get("common_name")
    return name if isinstance(name, str) else subject(certificate)


def _x5c(compact: bytes) -> tuple[bytes, ...]:
    """Return the certificates of a JWS that was verified: its header has the form that it must have."""
    protected = compact.split(b".")[0]
    header = json.loads(base64.urlsafe_b64decode(protected + b"=" * (-len(protected) % 4)))
    return tuple(base64.b64decode(text) for text in header["x5c"])


def verify(bundle: Bundle, *, roots: tuple[x509.Certificate, ...] | None, log_vkey: str | None) -> Report:
    """Check every link of a bundle. Without ``roots`` the bundle's own serve, and the report says so."""
    if roots is None:
        try:
            own = load_pem(bundle.members[names.ROOTS_PEM])
        except SigningError as error:
            return Report(checks=(failed("certificates", f"{names.ROOTS_PEM}: {error}"),))
        checks = BundleChecks(roots=own, from_auditor=False)
    else:
        checks = BundleChecks(roots=roots, from_auditor=True)
    return verify_bundle(bundle, signatures=checks, log_vkey=log_vkey)


def verify_file(path: Path, roots: Path | None = None, log_vkey: str | None = None) -> Report:
    """Check a bundle in a file. A file that is no bundle gives a report that says so.

    ``roots``: a PEM file of the roots that the auditor trusts; without it the bundle's own are used, and the
    report says that trust in them was not checked. ``log_vkey``: the log's key as the auditor knows it.
    Raises OSError when a file cannot be read, SigningError when ``roots`` holds no certificates.
    """
    trusted = None if roots is None else load_pem(roots)
    try:
        bundle = read_bundle(_read(path))
    except AuditError as error:
        return Report(checks=(failed("manifest", str(error)),))
    return verify(bundle, roots=trusted, log_vkey=log_vkey)


def _read(path: Path) -> bytes:
    """Return a file's bytes, refusing before reading what is too large to be a bundle."""
    with path.open("rb") as file:
        data = file.read(MAX_BUNDLE_BYTES + 1)
    if len(data) > MAX_BUNDLE_BYTES:
        raise BadBundle("the bundle is too large")
    return data
