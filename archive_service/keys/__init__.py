"""Envelopes, the secrets of a record, and the paths where both lie (ADR 0001, ADR 0006)."""
