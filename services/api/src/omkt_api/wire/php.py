"""Parameters as the original's server reads them: PHP's arrays in query strings and forms."""

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

#: As PHP's own bound, max_input_vars.
MAX_PARAMETERS = 1000
_ITEM = re.compile(r"([^\[\]]+)\[([^\[\]]*)\]")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")

Value = str | dict[int | str, str]


def pairs_of(encoded: str) -> list[tuple[str, str]]:
    """The pairs of a query string or a form. Raises ValueError for more than PHP reads."""
    return parse_qsl(encoded, keep_blank_values=True, max_num_fields=MAX_PARAMETERS, errors="replace")


def parameters(*sources: Iterable[tuple[str, str]]) -> dict[str, Value]:
    """What the sources say together; of two that name the same, the later one counts."""
    found: dict[str, Value] = {}
    for pairs in sources:
        found |= _read(pairs)
    return found


def text_of(found: Mapping[str, Value], name: str) -> str | None:
    """A plain parameter, without white space around it; None when it is missing, empty or an array."""
    value = found.get(name)
    return value.strip() or None if isinstance(value, str) else None


def number_of(found: Mapping[str, Value], name: str) -> int | None:
    """A whole number that is not negative; None for everything else."""
    text = text_of(found, name)
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


def truth_of(found: Mapping[str, Value], name: str, *, default: bool) -> bool:
    """PHP's truth: what is empty or "0" is false, and "false" is true."""
    value = found.get(name)
    return default if value is None else value not in ("", "0")


def list_of(found: Mapping[str, Value], name: str) -> list[str] | None:
    """A list, as an array or as JSON in one string; None when it is missing or neither."""
    value = found.get(name)
    if isinstance(value, dict):
        return list(value.values())
    if value is None:
        return None
    try:
        said = json.loads(value)
    except ValueError:
        return None
    items = list(said.values()) if isinstance(said, dict) else said
    if not isinstance(items, list) or not all(isinstance(one, str | int) for one in items):
        return None
    return [str(one) for one in items]


def _read(pairs: Iterable[tuple[str, str]]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for key, value in pairs:
        item = _ITEM.fullmatch(key)
        if item is None:
            found[key] = value
            continue
        name, place = item.groups()
        array = found.get(name)
        if not isinstance(array, dict):
            array = found[name] = {}
        array[_place(place, array)] = value
    return found


def _place(written: str, array: Mapping[int | str, str]) -> int | str:
    """The key of an item: `[]` goes on behind the highest number; a plain decimal number is one."""
    if not written:
        return max((key for key in array if isinstance(key, int)), default=-1) + 1
    return int(written) if _NUMBER.fullmatch(written) else written
