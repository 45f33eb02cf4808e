"""A machine's identity: a random text in a file that all its containers share, and that outlives them."""

import contextlib
import os
import secrets
from pathlib import Path

from omkt_pipeline.domain.errors import Unavailable


def host_identity(path: Path) -> str:
    """Read this machine's identity, drawing it if there is none yet; several processes may ask at once.

    Raises Unavailable (code host_identity), with what to do, when the file cannot be kept.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            drawn = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
            drawn.write_text(secrets.token_hex(16))
            with contextlib.suppress(FileExistsError):
                os.link(drawn, path)  # whole or not there, and the first one counts
            drawn.unlink()
        identity = path.read_text().strip()
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be kept: {error.strerror}. It tells this machine from another of the same name; give "
            "OMKT_IDENTITY_FILE a folder that uid " + str(os.getuid()) + " may write to.",
            code="host_identity",
        ) from error
    if not identity or len(identity) > 64:
        raise Unavailable(f"{path} holds no identity. Delete it, and a new one is drawn.", code="host_identity")
    return identity
