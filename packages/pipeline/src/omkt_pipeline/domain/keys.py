"""Public ids: 128 random bits, safe in paths and URLs. Counters would tell clients about each other."""

import base64
import os


def new_key() -> str:
    """Return a new id: 26 characters, a-z and 2-7."""
    return base64.b32encode(os.urandom(16)).decode().rstrip("=").lower()
