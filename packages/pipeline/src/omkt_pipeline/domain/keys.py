"""Public ids: 130 random bits, safe in paths and URLs. Counters would tell clients about each other."""

import os

_LENGTH = 26
#: Of each random byte five bits count.
_LETTERS = b"abcdefghijklmnopqrstuvwxyz234567" * 8


def new_key() -> str:
    """Return a new id: 26 characters, a-z and 2-7."""
    return os.urandom(_LENGTH).translate(_LETTERS).decode()
