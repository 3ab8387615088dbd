"""The names of a bundle's members, and their order in the zip (ADR 0005)."""

from __future__ import annotations

PAGE, MANIFEST = "CHECK.html", "manifest.json"
ORIGINAL, SEALED, VERDICT, RECORD = "original.pdf", "sealed.pdf", "verdict.json", "record.json"
RECEIPT, SALTS, ENTRY, PROOF, VKEY = "receipt.jws", "salts.json", "entry.json", "entry.tlog-proof", "log.vkey"
STATEMENT, STATEMENT_TOKEN = "checkpoint-statement.txt", "checkpoint-statement.tst"
SEAL_SIGNATURE, SEAL_TOKEN = "seal-signature.bin", "seal-signature.tst"
SEAL_PEM, TSA_PEM, ROOTS_PEM = "certificates/seal.pem", "certificates/tsa.pem", "certificates/roots.pem"

ORDER = (
    PAGE, MANIFEST, ORIGINAL, SEALED, VERDICT, RECORD, RECEIPT, SALTS, ENTRY, PROOF, VKEY, STATEMENT,
    STATEMENT_TOKEN, SEAL_SIGNATURE, SEAL_TOKEN, SEAL_PEM, TSA_PEM, ROOTS_PEM,
)  # fmt: skip
