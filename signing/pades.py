"""Sealing a PDF: PAdES baseline B-T (EN 319 142-1 §6.3), as an incremental update of the original."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from itertools import count

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfReadError, PdfStrictReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import PreparedByteRangeDigest
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner

from signing.cms_build import MECHANISMS, assemble, sign
from signing.errors import CannotSeal, refusing
from signing.keys import KeyHandle
from signing.seals import SealMaterial, check_earlier_signatures, seal_material
from signing.timestamps import Timestamper, VerifiedToken
from signing.updates import entry

__all__ = ["LEVEL_B_T", "SealMaterial", "SealedCopy", "seal", "seal_material"]

LEVEL_B_T = "PAdES B-T"
FIELD_NAME = "ArchiveSeal"

# The signature is written into room reserved before it exists (ISO 32000-1 §12.8.1): its own attributes,
# and the token with the authority's chain, which takes 2 to 8 kB.
ROOM_FOR_ATTRIBUTES = 2 * 1024
ROOM_FOR_TOKEN = 12 * 1024


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
        writer = _open(pdf)
        signed_before = bool(writer.prev.embedded_signatures)  # asked first: the update is made in place
        prepared, output = _prepare(writer, key=key, at=at, reason=reason)
        signed = sign(key, prepared.document_digest)
        token = timestamper.stamp(signed.imprint)
        _fill(prepared, output, assemble(key, signed, token.der))
        sealed = output.getvalue()
        if not sealed.startswith(pdf):
            raise CannotSeal("sealing would change the original's bytes")
        if signed_before:
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


class _Update(IncrementalPdfFileWriter):
    """An update that leaves the document's information and XMP as they are: the archive changes neither."""

    def _update_meta(self) -> None:
        """Write no new Producer, ModDate or XMP; pyHanko would, with the clock's time and its own name."""


class _Sealer(PdfSigner):
    """pyHanko's preparation of a signature field, in a document that stays a PDF 1.7."""

    def register_extensions(self, pdf_out: BasePdfFileWriter, *, md_algorithm: str) -> None:  # noqa: ARG002 - pyHanko names it
        """Declare ESIC (EN 319 142-1 §5.1), no more: pyHanko would make a PDF 2.0, which no PDF/A-3 is."""
        pdf_out.register_extension(ESIC_EXTENSION_1)


def _open(pdf: bytes) -> _Update:
    """Open for an incremental update; leniently where a strict reading fails, since nothing is rewritten."""
    try:
        writer = _Update(BytesIO(pdf))
    except PdfStrictReadError:
        writer = _Update(BytesIO(pdf), strict=False)
    except PdfReadError as error:
        raise CannotSeal(f"the document cannot be read: {error}") from error
    if "/Encrypt" in writer.prev.trailer:
        raise CannotSeal("the document is encrypted")
    return writer


def _prepare(
    writer: _Update, *, key: KeyHandle, at: datetime, reason: str
) -> tuple[PreparedByteRangeDigest, BytesIO]:
    """Write the update with an invisible field and room for the signature; return its digest and bytes."""
    name = _free_field_name(writer.prev)
    metadata = PdfSignatureMetadata(
        field_name=name, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, reason=reason
    )
    session = _Sealer(
        metadata, _signer(key), new_field_spec=SigFieldSpec(sig_field_name=name)
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
    fields = entry(entry(reader.root, "/AcroForm"), "/Fields") or ()
    taken = {str(entry(field.get_object(), "/T")) for field in fields}
    return next(name for number in count(1) if (name := f"{FIELD_NAME}{number}") not in taken)


def _signer(key: KeyHandle) -> Signer:
    """Tell pyHanko who signs and how; it prepares the PDF and does not sign itself."""
    return Signer(signing_cert=key.certificate, signature_mechanism=MECHANISMS[key.algorithm])


def _fill(prepared: PreparedByteRangeDigest, output: BytesIO, signature: bytes) -> None:
    room = (prepared.reserved_region_end - prepared.reserved_region_start - 2) // 2
    if len(signature) > room:
        raise CannotSeal(f"signature and token take {len(signature)} bytes, more than the {room} reserved")
    prepared.fill_with_cms(output, signature)
