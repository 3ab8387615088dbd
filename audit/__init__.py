"""The archive's transparency log and everything that proves a record without the archive.

Merkle tree (RFC 6962), tiles, notes, checkpoints and proofs (C2SP), journal entries, receipts, evidence
bundles and the offline verifier. A leaf package: it knows neither the service nor how seals are checked.
"""
