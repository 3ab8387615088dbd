"""How long a document is kept, from rules that are data with their legal source (ADR 0011)."""
