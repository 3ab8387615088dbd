"""What the seal's update changes in a PDF: a seal that is right could still stand on another page's content.

The original's bytes being there does not say that a reader shows them: the update can replace any object. So
the update is held to what ``signing.pades`` writes, object by object.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing.errors import SealRefused

_ROOT_MAY = frozenset({"/AcroForm", "/Extensions", "/Version"})
_FORM_MAY = frozenset({"/Fields", "/SigFlags"})
_FIELD = frozenset({"/FT", "/T", "/Type", "/Subtype", "/F", "/Rect", "/P", "/V"})  # no appearance, no action

Reference = generic.Reference
Dictionary = generic.DictionaryObject


def check_update(embedded: EmbeddedPdfSignature, original: PdfFileReader) -> None:
    """Check that the last revision adds an invisible signature field to the original, and nothing else.

    1. it follows the original's last revision, and frees no object;
    2. catalog, form and page change only where a field is added, and lists grow by that field;
    3. the field has no size, no appearance and no action;
    4. no other object is written.

    Raises SealRefused.
    """
    sealed = embedded.reader
    last = sealed.xrefs.total_revisions - 1
    if last != original.xrefs.total_revisions or _previous(sealed, last) != original.last_startxref:
        raise SealRefused("the seal's update does not follow the original's last revision")
    if sealed.xrefs.refs_freed_in_revision(last):
        raise SealRefused("the seal's update removes objects")
    allowed = _field(embedded) | _catalog(embedded, original) | _page(embedded, original)
    for reference in sealed.xrefs.explicit_refs_in_revision(last):
        if _key(reference) not in allowed and not _is_xref(reference, original):
            raise SealRefused(f"the seal's update writes object {reference.idnum}, which no seal needs")


def _previous(reader: PdfFileReader, revision: int) -> int:
    return int(reader.xrefs.get_startxref_for_revision(revision - 1))


def _is_xref(reference: Reference, original: PdfFileReader) -> bool:
    if reference.idnum < int(original.trailer["/Size"]):
        return False
    written = reference.get_object()
    return isinstance(written, generic.StreamObject) and written.get("/Type") == "/XRef"


def _field(embedded: EmbeddedPdfSignature) -> set[tuple[int, int]]:
    field = embedded.sig_field
    if set(field) - _FIELD or any(float(side) for side in field["/Rect"]):
        raise SealRefused("the seal's field shows or does something")
    return {_key(field.container_ref), _key(embedded.sig_object.container_ref)}


def _catalog(embedded: EmbeddedPdfSignature, original: PdfFileReader) -> set[tuple[int, int]]:
    new, old = embedded.reader.root, original.root
    if _key(new.container_ref) != _key(old.container_ref):
        raise SealRefused("the seal's update has another catalog")
    _check_changes(new, old, _ROOT_MAY)
    form, old_form = new["/AcroForm"], entry(old, "/AcroForm")
    _check_changes(form, old_form, _FORM_MAY)
    _check_grown(form["/Fields"], entry(old_form, "/Fields"), embedded)
    parts = (new, form, form["/Fields"], new["/Extensions"])
    return {_key(part.container_ref) for part in parts}


def _page(embedded: EmbeddedPdfSignature, original: PdfFileReader) -> set[tuple[int, int]]:
    new = embedded.sig_field["/P"]
    old = generic.Reference(*_key(new.container_ref), pdf=original).get_object()
    if not isinstance(old, Dictionary) or old.get("/Type") != "/Page":
        raise SealRefused("the seal's field is on no page of the original")
    _check_changes(new, old, frozenset({"/Annots"}))
    _check_grown(new["/Annots"], entry(old, "/Annots"), embedded)
    return {_key(part.container_ref) for part in (new, new["/Annots"])}


def _check_changes(new: Dictionary, old: Dictionary | None, may: frozenset[str]) -> None:
    before = {name: _raw(old.raw_get(name)) for name in old} if old is not None else {}
    after = {name: _raw(new.raw_get(name)) for name in new}
    for name in before.keys() | after.keys():
        if before.get(name) != after.get(name) and name not in may:
            raise SealRefused(f"the seal's update changes {name}")


def _check_grown(
    new: generic.ArrayObject, old: generic.ArrayObject | None, embedded: EmbeddedPdfSignature
) -> None:
    before = [_raw(old.raw_get(index)) for index in range(len(old))] if old is not None else []
    after = [_raw(new.raw_get(index)) for index in range(len(new))]
    number, generation = _key(embedded.sig_field.container_ref)
    if after != [*before, f"{number} {generation} R".encode()]:
        raise SealRefused("the seal's update changes a list of fields or annotations")


def entry(dictionary: Dictionary | None, name: str) -> Any:
    """Return an entry or None, references followed, which pyHanko's own ``get`` does not do."""
    return dictionary[name] if dictionary is not None and name in dictionary else None


def _raw(value: generic.PdfObject) -> bytes:
    output = BytesIO()
    value.write_to_stream(output, None)
    return output.getvalue()


def _key(reference: object) -> tuple[int, int]:
    if not isinstance(reference, generic.Reference | generic.IndirectObject):
        raise SealRefused("the seal's update has an object without a number")
    return reference.idnum, reference.generation
