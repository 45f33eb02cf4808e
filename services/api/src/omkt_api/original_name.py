"""What an original is called, fetched or uploaded. Only ever shown to people: no name from outside becomes a path of ours."""

import re
import unicodedata
from urllib.parse import unquote

MAX_NAME_BYTES = 255
_LONGEST_SUFFIX = 16

_EXTENDED = re.compile(r"filename\*\s*=\s*(utf-8|iso-8859-1)'[^']*'([^;\s]+)", re.IGNORECASE)
_QUOTED = re.compile(r'filename\s*=\s*"((?:\\.|[^"\\])*)"', re.IGNORECASE)
_TOKEN = re.compile(r"filename\s*=\s*([^;\s\"]+)", re.IGNORECASE)


def original_name(content_disposition: str | None, path: str) -> str | None:
    """The name that the server gave, else the last part of the URL's path; None when neither is fit to be shown."""
    offered = _from_header(content_disposition) if content_disposition else None
    return clean_name(offered) or clean_name(unquote(path.partition("?")[0], errors="replace"))


def clean_name(name: str | None) -> str | None:
    """The last part of a path as one visible line in NFC, at most 255 bytes of UTF-8; None when nothing is left."""
    last = re.split(r"[/\\]", name or "")[-1]
    visible = "".join(_seen(one) for one in last)
    cleaned = " ".join(unicodedata.normalize("NFC", visible).split()).strip(" .")
    return _shortened(cleaned) or None


def _seen(character: str) -> str:
    """What breaks a line becomes a space; what is invisible, and may turn the direction of text around, goes."""
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    return "" if category in ("Cf", "Cs") else character


def _from_header(value: str) -> str | None:
    if extended := _EXTENDED.search(value):
        return unquote(extended[2], encoding=extended[1], errors="replace")
    if quoted := _QUOTED.search(value):
        return re.sub(r"\\(.)", r"\1", quoted[1])
    token = _TOKEN.search(value)
    return token[1] if token else None


def _shortened(name: str) -> str:
    """Cut the stem, so that the ending stays readable."""
    encoded = name.encode()
    if len(encoded) <= MAX_NAME_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    ending = (dot + suffix).encode()
    if not stem or len(ending) > _LONGEST_SUFFIX:
        stem, ending = name, b""
    return (stem.encode()[: MAX_NAME_BYTES - len(ending)]).decode(errors="ignore") + ending.decode()
