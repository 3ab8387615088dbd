"""Sealing a PDF: PAdES baseline B-T (EN 319 142-1 §6.3), as an incremental update of the original."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from itertools import count

from asn1crypto import algos, cms
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfReadError, PdfStrictReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.pdf_byterange import PreparedByteRangeDigest
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner

from signing.errors import CannotSeal, refusing
from signing.keys import KeyHandle, SignatureAlgorithm
from signing.seals import SealMaterial, check_earlier_signatures, seal_material
from signing.timestamps import Timestamper, VerifiedToken

__all__ = ["LEVEL_B_T", "SealMaterial", "SealedCopy", "seal", "seal_material"]

LEVEL_B_T = "PAdES B-T"
FIELD_NAME = "ArchiveSeal"

# The signature is written into room reserved before it exists (ISO 32000-1 §12.8.1): its own attributes,
# and the token with the authority's chain, which takes 2 to 8 kB.
ROOM_FOR_ATTRIBUTES = 2 * 1024
ROOM_FOR_TOKEN = 12 * 1024

_PSS = algos.RSASSAPSSParams(
    {
        "hash_algorithm": {"algorithm": "sha256"},
        "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": "sha256"}},
        "salt_length": 32,
    }
)
_MECHANISMS = {
    SignatureAlgorithm.ES256: algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
    SignatureAlgorithm.RS256: algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"}),
    SignatureAlgorithm.PS256: algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": _PSS}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedCopy:
    """A sealed PDF: starts with the original's bytes, and every byte but the signature's own is covered.

    ``not_qualified`` names what is not from an EU trusted list; it goes into the receipt.
    """

    pdf: bytes
    level: str
    token_time: datetime
    tsa: str
    not_qualified: tuple[str, ...]


def seal(pdf: bytes, *, key: KeyHandle, timestamper: Timestamper, at: datetime, reason: str) -> SealedCopy:
    """Return a copy of ``pdf`` sealed by ``key``, with a token over the signature.

    ``at`` (time-zone aware) is the claimed time of sealing, the token gives the proven one. Blocks; not to be
    called from a running event loop. Draws randomness: two calls give two copies, so the first is to be kept.
    Raises CannotSeal when the document does not allow it, NoTimestamp when no authority answers.
    """
    if at.tzinfo is None:
        raise ValueError("a moment without a time zone proves nothing")
    with refusing(CannotSeal, "the document cannot be sealed"):
        prepared, output = _prepare(_open(pdf), key=key, at=at, reason=reason)
        signed = _sign(key, prepared.document_digest)
        token = timestamper.stamp(hashlib.sha256(_signer_info(signed)["signature"].native).digest())
        _embed(signed, token)
        _fill(prepared, output, signed)
        sealed = output.getvalue()
        if not sealed.startswith(pdf):
            raise CannotSeal("sealing would change the original's bytes")
        check_earlier_signatures(sealed)
    return SealedCopy(
        pdf=sealed,
        level=LEVEL_B_T,
        token_time=token.time,
        tsa=token.tsa,
        not_qualified=_not_qualified(key, token),
    )


def _not_qualified(key: KeyHandle, token: VerifiedToken) -> tuple[str, ...]:
    parts = (("seal key", key.qualified), ("time-stamping authority", token.qualified))
    return tuple(name for name, qualified in parts if not qualified)


def _open(pdf: bytes) -> IncrementalPdfFileWriter:
    """Open for an incremental update; leniently where a strict reading fails, since nothing is rewritten."""
    try:
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
    except PdfStrictReadError:
        writer = IncrementalPdfFileWriter(BytesIO(pdf), strict=False)
    except PdfReadError as error:
        raise CannotSeal(f"the document cannot be read: {error}") from error
    if "/Encrypt" in writer.prev.trailer:
        raise CannotSeal("the document is encrypted")
    return writer


def _prepare(
    writer: IncrementalPdfFileWriter, *, key: KeyHandle, at: datetime, reason: str
) -> tuple[PreparedByteRangeDigest, BytesIO]:
    """Write the update with an invisible field and room for the signature; return its digest and bytes."""
    name = _free_field_name(writer.prev)
    metadata = PdfSignatureMetadata(
        field_name=name, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, reason=reason
    )
    session = PdfSigner(
        metadata, _HandleSigner(key), new_field_spec=SigFieldSpec(sig_field_name=name)
    ).init_signing_session(writer)
    session.system_time = at
    output = BytesIO()
    document = session.prepare_tbs_document(None, bytes_reserved=2 * _room(key))  # counted in hex digits
    prepared, _ = document.digest_tbs_document(output=output)
    return prepared, output


def _room(key: KeyHandle) -> int:
    certificates = sum(len(certificate.dump()) for certificate in (key.certificate, *key.chain))
    return certificates + ROOM_FOR_ATTRIBUTES + ROOM_FOR_TOKEN


def _free_field_name(reader: PdfFileReader) -> str:
    """Return a name that no field of the form has: two fields of one name would be one field."""
    form = reader.root.get("/AcroForm", {})
    taken = {str(field.get_object().get("/T", "")) for field in form.get("/Fields", ())}
    return next(name for number in count(1) if (name := f"{FIELD_NAME}{number}") not in taken)


def _sign(key: KeyHandle, digest: bytes) -> cms.ContentInfo:
    return asyncio.run(_HandleSigner(key).async_sign(digest, "sha256", use_pades=True))


def _signer_info(signed: cms.ContentInfo) -> cms.SignerInfo:
    return signed["content"]["signer_infos"][0]


def _embed(signed: cms.ContentInfo, token: VerifiedToken) -> None:
    """Add the token as unsigned attribute: what makes B-B into B-T (EN 319 122-1 §5.3)."""
    attribute = {"type": "signature_time_stamp_token", "values": [cms.ContentInfo.load(token.der)]}
    _signer_info(signed)["unsigned_attrs"] = cms.CMSAttributes([cms.CMSAttribute(attribute)])


def _fill(prepared: PreparedByteRangeDigest, output: BytesIO, signed: cms.ContentInfo) -> None:
    der = signed.dump()
    room = (prepared.reserved_region_end - prepared.reserved_region_start - 2) // 2
    if len(der) > room:
        raise CannotSeal(f"signature and token take {len(der)} bytes, more than the {room} reserved")
    prepared.fill_with_cms(output, der)


class _HandleSigner(Signer):
    """pyHanko's signer over a KeyHandle."""

    def __init__(self, key: KeyHandle) -> None:
        super().__init__(
            signing_cert=key.certificate,
            embed_roots=False,
            signature_mechanism=_MECHANISMS[key.algorithm],
        )
        self.cert_registry.register_multiple(key.chain)
        self._key = key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """Sign with the key; what this module asks for is SHA-256 and never a dry run."""
        if digest_algorithm != "sha256" or dry_run:
            raise CannotSeal(f"the seal key signs over SHA-256, not over {digest_algorithm}")
        return self._key.sign(data)
