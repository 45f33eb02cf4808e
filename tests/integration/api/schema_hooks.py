"""What schemathesis must be told to send a tus PATCH: its body is bytes."""

from typing import Any

import schemathesis


@schemathesis.serializer("application/offset+octet-stream")
def _bytes(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
