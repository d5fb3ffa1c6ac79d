"""Every error that Assay raises on purpose.

    AssayError
    ├── ConfigurationError        exit 2   a setting, a policy or a trust list is wrong
    │   ├── PolicyError                    a rules file has no rules, an unknown key or a bad value
    │   └── TrustError                     a trust profile is damaged, or a file holds no certificate
    ├── NetworkError              exit 2   `assay trust update` could not fetch the list
    ├── SigningError              exit 2   a key or certificate cannot sign this file
    ├── KeyStoreError             exit 2   a watermark key is missing, damaged, unprotected or not to be used
    ├── LedgerError               exit 2   the ledger cannot be opened, or refuses a row
    ├── SelfCheckError            exit 2   an image that was just made does not carry its mark
    └── UnreadableError           exit 3   one input cannot be examined
        ├── UnsupportedFormat              not an image, or a format that needs an extra
        ├── LimitExceeded                  too many bytes, pixels or frames, too much time or memory
        └── DamagedImage                   the bytes stop or contradict themselves

Each error says what is wrong, names the file or setting, and carries a hint: what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class AssayError(Exception):
    """Base of the tree.

    Attributes:
        hint: What the user can do about it.
        exit_code: What the command line exits with.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class ConfigurationError(AssayError):
    """A setting is wrong."""


class PolicyError(ConfigurationError):
    """A rules file cannot be used."""


class TrustError(ConfigurationError):
    """A trust profile cannot be used."""


class NetworkError(AssayError):
    """The one command that is allowed the network could not use it."""


class SigningError(AssayError):
    """A file could not be signed."""


class KeyStoreError(AssayError):
    """The watermark keys cannot be used."""


class LedgerError(AssayError):
    """The ledger cannot be opened, or a row cannot be added to it."""


class SelfCheckError(AssayError):
    """An image does not carry the mark that was put into its noise or its pixels."""


class UnreadableError(AssayError):
    """One input cannot be examined; the others go on."""

    exit_code: ClassVar[int] = 3


class UnsupportedFormat(UnreadableError):
    """The bytes are not an image that this installation opens."""


class LimitExceeded(UnreadableError):
    """The input is larger, or slower, than the limits allow."""


class DamagedImage(UnreadableError):
    """The bytes stop early or contradict themselves."""
