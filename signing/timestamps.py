"""Asking time-stamping authorities for a token (RFC 3161), and believing it only once it is verified."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import ClassVar, Protocol

import rfc3161ng
from asn1crypto import cms, core, tsp, x509

from signing.errors import SigningError, TokenRefused, refusing
from signing.tokens import DIGEST_BYTES, UnverifiedToken, VerifiedToken

__all__ = [
    "NoTimestamp",
    "Timestamper",
    "TransportFailed",
    "TsaTransport",
    "UnverifiedToken",
    "VerifiedToken",
]


class _Response(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    """TimeStampResp (RFC 3161 §2.4.2). asn1crypto's own wants a token always, so it cannot read a refusal."""

    _fields: ClassVar = [
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


class TransportFailed(SigningError):
    """A time-stamping authority could not be reached, or its answer could not be read."""


class NoTimestamp(SigningError):
    """No authority gave a token that holds. ``attempts``: each address with the reason. Worth a retry."""

    def __init__(self, attempts: tuple[tuple[str, str], ...]) -> None:
        self.attempts = attempts
        told = "; ".join(f"{url}: {reason}" for url, reason in attempts)
        super().__init__(f"no time-stamp: {told or 'no time-stamping authority is configured'}")


class TsaTransport(Protocol):
    """Carries one request to one authority."""

    def post(self, url: str, body: bytes, *, timeout: float) -> bytes:
        """Return the body of the answer, within ``timeout`` seconds in all. Raises TransportFailed."""


class Timestamper:
    """Gets verified tokens from a list of authorities, tried in order. Safe to share between threads."""

    def __init__(
        self,
        *,
        urls: tuple[str, ...],
        transport: TsaTransport,
        roots: tuple[x509.Certificate, ...],
        timeout: float = 10.0,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._urls = urls
        self._transport = transport
        self._roots = roots
        self._timeout = timeout
        self._random = random

    def stamp(self, digest: bytes) -> VerifiedToken:
        """Return a verified token over a SHA-256 digest, from the first authority that gives one.

        Blocks, for at most ``timeout`` seconds per authority; not to be called from a running event loop.
        Raises NoTimestamp with every authority's reason, ValueError for a digest of another length.
        """
        if len(digest) != DIGEST_BYTES:
            raise ValueError("a token covers a SHA-256 digest of 32 bytes")
        attempts: list[tuple[str, str]] = []
        for url in self._urls:
            try:
                return self._ask(url, digest)
            except (TransportFailed, TokenRefused) as error:
                attempts.append((url, str(error)))
        raise NoTimestamp(tuple(attempts))

    def _ask(self, url: str, digest: bytes) -> VerifiedToken:
        nonce = _nonce(self._random(8))
        request = rfc3161ng.make_timestamp_request(
            digest=digest, hashname="sha256", include_tsa_certificate=True, nonce=nonce
        )
        body = rfc3161ng.encode_timestamp_request(request)
        answer = self._transport.post(url, body, timeout=self._timeout)
        return UnverifiedToken(_granted(answer)).verify(digest=digest, nonce=nonce, roots=self._roots)


def _nonce(drawn: bytes) -> int:
    """Make a positive integer of 8 bytes always, which every authority's signed 64 bits can hold."""
    return int.from_bytes(drawn, "big") >> 2 | 1 << 62


def _granted(answer: bytes) -> bytes:
    """Return the token's DER of a TimeStampResp whose status is granted (RFC 3161 §2.4.2)."""
    with refusing(TokenRefused, "not a time-stamp response"):
        response = _Response.load(answer, strict=True)
        status = response["status"]
        if status["status"].native not in ("granted", "granted_with_mods"):
            told = [*(status["status_string"].native or ()), *sorted(status["fail_info"].native or ())]
            raise TokenRefused(f"refused: {status['status'].native} ({', '.join(told) or 'no reason given'})")
        token: bytes = response["time_stamp_token"].dump()
        if not token:
            raise TokenRefused("granted, but without a token")
        return token
