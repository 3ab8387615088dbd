"""What can go wrong with a key, a certificate, a seal, a signature or a token."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from pyhanko.pdf_utils.misc import PdfError
from pyhanko_certvalidator.errors import PathError, ValidationError


class SigningError(Exception):
    """Something about a seal, a signature or a token does not hold."""


class CertificateRefused(SigningError):
    """A certificate is unreadable, does not serve the purpose, or does not chain to a trusted root."""


class KeyRefused(SigningError):
    """A signing key is unreadable, too weak, or not the one that its certificate names."""


class CannotSeal(SigningError):
    """The document cannot be sealed as it is; the message says why, and trying again will not help."""


class SealRefused(SigningError):
    """A sealed copy does not prove what it should."""


class TokenRefused(SigningError):
    """A time-stamp token does not prove what it should."""


class JwsRefused(SigningError):
    """A signed attestation does not prove what it should."""


# What asn1crypto, pyHanko and cryptography let through when the bytes are hostile. They have no common root;
# this list is what mutated inputs brought up, by class. MemoryError and KeyboardInterrupt stay out of it.
_MALFORMED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    InvalidSignature,
    LookupError,
    NotImplementedError,
    PathError,
    PdfError,
    RecursionError,
    TypeError,
    UnsupportedAlgorithm,
    ValidationError,
    ValueError,
    struct.error,
    zlib.error,
)


@contextmanager
def refusing(refusal: type[SigningError], what: str) -> Iterator[None]:
    """Turn what parsers raise for malformed bytes into ``refusal``; our own errors pass through."""
    try:
        yield
    except SigningError:
        raise
    except _MALFORMED as error:
        raise refusal(f"{what}: {error or type(error).__name__}") from error
