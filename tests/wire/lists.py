"""PHP's arrays in a query string: how clients write them, and what PHP reads."""

import json
import re
from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl, urlencode

#: Every way in which a client may write one list of setting ids; `[0]=…` is the original client's.
SPELLINGS: dict[str, Callable[[str, Sequence[int]], str]] = {
    "name[0]=": lambda name, values: urlencode([(f"{name}[{place}]", one) for place, one in enumerate(values)]),
    "name[]=": lambda name, values: urlencode([(f"{name}[]", one) for one in values]),
    "name[] unescaped": lambda name, values: "&".join(f"{name}[]={one}" for one in values),
    "JSON in one string": lambda name, values: urlencode({name: json.dumps(list(values))}),
}

#: Query strings, and the values that PHP has for `list` after reading them, in PHP's order.
TABLE: dict[str, list[str]] = {
    "list[]=1&list[]=2": ["1", "2"],
    "list[0]=1&list[1]=2": ["1", "2"],
    "list%5B%5D=1&list%5B%5D=2": ["1", "2"],
    "list%5B0%5D=1": ["1"],
    "list[5]=1&list[2]=2": ["1", "2"],  # in the order of arrival
    "list[3]=1&list[]=2": ["1", "2"],  # `[]` goes on after the highest
    "list[0]=1&list[0]=2": ["2"],  # the last one of a key wins
    "list[a]=1&list[b]=2": ["1", "2"],  # keys may be words
    "other[]=9&list[]=1": ["1"],
    "list[]=": [""],
}

_ITEM = re.compile(r"(?P<name>[^\[\]]+)\[(?P<key>[^\]]*)\]")


def read(query: str, name: str) -> list[str]:
    """What PHP has for the one-level array `name` after reading `query`. Independent of the server's own reading."""
    found: dict[int | str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        item = _ITEM.match(key)
        if item is None or item["name"] != name:
            continue
        found[_place(item["key"], found)] = value
    return list(found.values())


def _place(key: str, found: dict[int | str, str]) -> int | str:
    if key == "":
        return max((one for one in found if isinstance(one, int)), default=-1) + 1
    # PHP takes a decimal number without leading zeros for an integer key.
    return int(key) if re.fullmatch(r"0|[1-9][0-9]*", key) else key
