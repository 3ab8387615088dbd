"""The archive: an invoice comes in over HTTP, and a proof that stands without us comes out."""

__version__ = "0.1.0"
