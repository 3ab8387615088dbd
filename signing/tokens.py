"""Time-stamp tokens (RFC 3161, RFC 5816): unverified bytes on one side, verified tokens on the other."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import tsp, x509
from pyhanko.sign.validation.settings import KeyUsageConstraints

from signing.certificates import subject
from signing.cms_checks import CmsParts, check_cms, open_cms
from signing.errors import TokenRefused, refusing

MAX_TOKEN_BYTES = 64 * 1024  # a token with its chain takes 2 to 8 kB; more is not a token
DIGEST_BYTES = 32

_STAMPING = KeyUsageConstraints(extd_key_usage={"time_stamping"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedToken:
    """A token that was checked. Only ``UnverifiedToken.verify`` makes one.

    ``time`` is UTC; ``tsa`` the subject of its certificate, which comes first in ``certificates``.
    """

    der: bytes
    time: datetime
    tsa: str
    certificates: tuple[x509.Certificate, ...]
    qualified: bool = False


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """The DER of what claims to be a time-stamp token."""

    der: bytes

    def verify(
        self, *, digest: bytes, nonce: int | None, roots: tuple[x509.Certificate, ...]
    ) -> VerifiedToken:
        """Check the token as RFC 3161 §2.4.2 lists it; ``nonce`` is None for a token that was kept.

        1. one signer, over a TSTInfo of version 1;
        2. the imprint is the SHA-256 that was asked for;
        3. the nonce is the one that was sent;
        4. the certificate is for time-stamping and nothing else, critically (§2.3);
        5. the signature names its certificate (RFC 5816) and verifies;
        6. the certificate chained to a root at the token's own time.

        Revocation is not checked. Raises TokenRefused.
        """
        if len(self.der) > MAX_TOKEN_BYTES:
            raise TokenRefused(f"a token of {len(self.der)} bytes is not a token")
        parts = open_cms(self.der, refusal=TokenRefused)
        with refusing(TokenRefused, "not a time-stamp token"):
            info = _info(parts)
            _check_imprint(info, digest)
            _check_nonce(info, nonce)
            _check_purpose(parts.signer)
            time = info["gen_time"].native.astimezone(UTC)
            check_cms(parts, digest=None, roots=roots, at=time, usage=_STAMPING, refusal=TokenRefused)
            return VerifiedToken(
                der=self.der,
                time=time,
                tsa=subject(parts.signer),
                certificates=(parts.signer, *parts.others),
            )


def _info(parts: CmsParts) -> tsp.TSTInfo:
    content = parts.signed_data["encap_content_info"]
    if content["content_type"].native != "tst_info":
        raise TokenRefused("the signed content is not a TSTInfo")
    info = content["content"].parsed
    if not isinstance(info, tsp.TSTInfo) or info["version"].native != "v1":
        raise TokenRefused("the signed content is not a TSTInfo of version 1")
    return info


def _check_imprint(info: tsp.TSTInfo, digest: bytes) -> None:
    imprint = info["message_imprint"]
    if imprint["hash_algorithm"]["algorithm"].native != "sha256":
        raise TokenRefused("the imprint is not a SHA-256")
    if not hmac.compare_digest(imprint["hashed_message"].native, digest):
        raise TokenRefused("the imprint is that of other bytes")


def _check_nonce(info: tsp.TSTInfo, nonce: int | None) -> None:
    if nonce is not None and info["nonce"].native != nonce:
        raise TokenRefused("the nonce is not the one that was sent")


def _check_purpose(certificate: x509.Certificate) -> None:
    usages = certificate.extended_key_usage_value
    if usages is None or usages.native != ["time_stamping"]:
        raise TokenRefused("the certificate is not for time-stamping alone (RFC 3161 §2.3)")
    if "extended_key_usage" not in certificate.critical_extensions:
        raise TokenRefused("the certificate's extended key usage is not critical (RFC 3161 §2.3)")
