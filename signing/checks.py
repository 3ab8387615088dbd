"""Checking seals, tokens and attestations offline: given roots, no network, ever."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import x509
from pyhanko.sign.general import find_unique_cms_attribute

from signing.certificates import SEALING, subject
from signing.cms_checks import check_cms
from signing.errors import SealRefused, refusing
from signing.jades import VerifiedJws, verify_compact
from signing.pades import LEVEL_B_T
from signing.seals import FoundSeal, find_seal, open_reader
from signing.tokens import UnverifiedToken, VerifiedToken
from signing.updates import check_update


@dataclass(frozen=True, slots=True, kw_only=True)
class SealFacts:
    """What a sealed copy proves. ``revocation_checked`` is False: the facts must be shown with that limit.

    ``signer`` and ``tsa`` are certificate subjects; ``token_time`` is UTC.
    """

    covers_whole_file: bool
    starts_with_original: bool
    level: str
    token_time: datetime
    signer: str
    tsa: str
    revocation_checked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """What a token proves: that the bytes existed at ``time`` (UTC), by the word of ``tsa``."""

    time: datetime
    tsa: str
    revocation_checked: bool = False


class OfflineChecks:
    """The checks of the offline verifier. Blocking; not to be called from a running event loop."""

    def __init__(self, *, roots: tuple[x509.Certificate, ...]) -> None:
        self._roots = roots

    def check_seal(self, sealed: bytes, original: bytes) -> SealFacts:
        """Check a sealed copy against its original (EN 319 142-1 §6.3, level B-T).

        1. it starts with the original, and what was added is the seal and nothing that shows;
        2. the seal covers every byte but its own signature, so nothing came later;
        3. its token holds, over the signature value;
        4. the signature names its certificate by SHA-256 or better, and verifies;
        5. the certificate is one for sealing and chained to a root at the token's time.

        Raises SealRefused, TokenRefused.
        """
        if not sealed.startswith(original):
            raise SealRefused("the sealed copy does not start with the original")
        found = find_seal(sealed)
        with refusing(SealRefused, "the seal does not verify"):
            if int(found.embedded.byte_range[1]) <= len(original):
                raise SealRefused("the seal stands inside the original")
            check_update(found.embedded, open_reader(original))
            token = self._token(found)
            self._signature(found, token.time)
        return SealFacts(
            covers_whole_file=True,
            starts_with_original=True,
            level=LEVEL_B_T,
            token_time=token.time,
            signer=subject(found.parts.signer),
            tsa=token.tsa,
        )

    def check_token(self, token: bytes, data: bytes) -> TokenFacts:
        """Check that a token covers the SHA-256 of ``data``. Raises TokenRefused."""
        verified = self._verify(token, data)
        return TokenFacts(time=verified.time, tsa=verified.tsa)

    def check_jws(self, compact: bytes) -> VerifiedJws:
        """Check a signed attestation. Raises JwsRefused, CertificateRefused."""
        return verify_compact(compact, roots=self._roots)

    def _verify(self, token: bytes, data: bytes) -> VerifiedToken:
        return UnverifiedToken(token).verify(
            digest=hashlib.sha256(data).digest(), nonce=None, roots=self._roots
        )

    def _token(self, found: FoundSeal) -> VerifiedToken:
        return self._verify(found.token, found.parts.signer_info["signature"].native)

    def _signature(self, found: FoundSeal, at: datetime) -> None:
        attributes = found.parts.signer_info["signed_attrs"]
        try:
            find_unique_cms_attribute(attributes, "signing_certificate_v2")
        except LookupError:
            raise SealRefused("the seal does not name its certificate as EN 319 142-1 §6.3 asks") from None
        check_cms(
            found.parts,
            digest=found.embedded.compute_digest(),
            roots=self._roots,
            at=at,
            usage=SEALING,
            refusal=SealRefused,
        )
