"""The embedded stack: real servers from wheels, on loopback, under a supervisor of our own."""

from archive_service.adapters.embedded.address import Address, read_address
from archive_service.adapters.embedded.stack import Stack
from archive_service.adapters.embedded.up import serve

__all__ = ["Address", "Stack", "read_address", "serve"]
