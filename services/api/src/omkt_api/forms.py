"""A file in a form (RFC 7578), as browsers send it: read while it comes, never kept elsewhere first."""

from collections import deque
from collections.abc import AsyncIterator, Mapping

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from omkt_pipeline.domain.errors import Refused

FORM = "multipart/form-data"
#: Of all that comes before the file: other fields, and the headers of parts.
_BEFORE_BYTES = 1 << 16


def is_form(headers: Mapping[str, str]) -> bool:
    """Whether a body is a form with parts."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() == FORM


class FilePart:
    """The first file of a form. Raises Refused (upload_form_invalid) for what is no form, or has none."""

    def __init__(self, headers: Mapping[str, str], stream: AsyncIterator[bytes]) -> None:
        boundary = parse_options_header(headers.get("content-type"))[1].get(b"boundary")
        if not boundary:
            raise _invalid("it names no boundary")
        self._stream = stream
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._field,
                "on_header_value": self._value,
                "on_header_end": self._header,
                "on_part_data": self._data,
                "on_part_end": self._end,
            },
        )
        self._name: str | None = None
        self._is_file = self._over = False
        self._header_field = self._header_value = b""
        self._blocks: deque[bytes] = deque()
        self._before = 0

    async def name(self) -> str | None:
        """What the client calls the file. Reads as far as the file's beginning."""
        while not self._is_file and await self._feed():
            pass
        if not self._is_file:
            raise _invalid("it holds no file")
        return self._name

    async def blocks(self) -> AsyncIterator[bytes]:
        """The bytes of the file."""
        await self.name()
        while True:
            while self._blocks:
                yield self._blocks.popleft()
            if self._over:
                return
            if not await self._feed():
                raise _invalid("it ends in the middle of the file")

    async def _feed(self) -> bool:
        block = await anext(self._stream, None)
        if not block:
            return block is not None
        try:
            self._parser.write(block)
        except MultipartParseError as error:
            raise _invalid("its parts cannot be told from each other") from error
        if not self._is_file:
            self._before += len(block)
            if self._before > _BEFORE_BYTES:
                raise _invalid("there is too much before its file")
        return True

    def _begin(self) -> None:
        self._header_field = self._header_value = b""

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header_field += data[start:end]

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header(self) -> None:
        if self._header_field.lower() == b"content-disposition" and not self._is_file:
            options = parse_options_header(self._header_value)[1]
            if b"filename" in options:
                self._is_file, self._name = True, options[b"filename"].decode(errors="replace") or None
        self._header_field = self._header_value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file and not self._over:
            self._blocks.append(data[start:end])

    def _end(self) -> None:
        self._over = self._over or self._is_file


def _invalid(why: str) -> Refused:
    return Refused(f"The form cannot be read: {why}. Or send the file itself as the body.", code="upload_form_invalid")
