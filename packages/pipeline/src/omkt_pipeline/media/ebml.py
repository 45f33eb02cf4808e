"""Elements of EBML, of which Matroska files are made (RFC 8794, 4 to 6)."""

from collections.abc import Iterator

_LONGEST_SIZE = 8  #: bytes
_LONGEST_NAME = 4  #: bytes


class EbmlError(ValueError):
    """No element begins here, it ends beyond its parent, or its end is not written down."""


def vint(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends. Raises EbmlError for what is none, or is all ones: unknown."""
    length = _LONGEST_SIZE + 1 - data[at].bit_length() if at < len(data) else _LONGEST_SIZE + 1
    end = at + length
    if length > _LONGEST_SIZE or end > len(data):
        raise EbmlError
    bits = 7 * length
    value = int.from_bytes(data[at:end], "big") & (1 << bits) - 1
    if value == (1 << bits) - 1:
        raise EbmlError
    return value, end


def element(data: bytes | bytearray, at: int) -> tuple[int, int, int]:
    """An element's name with its marker bits, where its body begins, and how long that is. Raises EbmlError."""
    length = _LONGEST_SIZE + 1 - data[at].bit_length() if at < len(data) else _LONGEST_SIZE
    if length > _LONGEST_NAME:
        raise EbmlError
    size, begin = vint(data, at + length)
    return int.from_bytes(data[at : at + length], "big"), begin, size


def elements(data: bytes | bytearray, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The elements that fill these bytes: name, begin and end of each body. Raises EbmlError."""
    while at < end:
        name, begin, size = element(data, at)
        at = begin + size
        if at > end:
            raise EbmlError
        yield name, begin, at


def bodies(body: bytes) -> dict[int, bytes]:
    """What an element holds, by name; of several of one name, the last. Raises EbmlError."""
    return {name: body[begin:end] for name, begin, end in elements(body, 0, len(body))}
