"""What can go wrong with a key."""

from __future__ import annotations

from archive_service.model import ArchiveError


class KeysError(ArchiveError):
    """A key could not be used as asked."""


class WrongKey(KeysError):
    """The key, its context, or the bytes do not fit together."""


class EnvelopeBroken(KeysError):
    """These bytes are no envelope of that record and role under that key."""


class SecretsBroken(KeysError):
    """The bytes opened, and what they hold is not a record's secrets in a form known here."""


class WeakRandomness(KeysError):
    """The source of randomness repeats itself or gives too little: encrypting would give the key away."""


class BadKeyFile(KeysError):
    """The key file is missing, readable by others, or not 32 bytes in base64."""


class KeyExists(KeysError):
    """A key already stands there; it is never overwritten by another."""


class BadBackup(KeysError):
    """This file is no backup of a master key in a form known here."""


class WeakPassphrase(KeysError):
    """The passphrase is too short for what it protects."""
