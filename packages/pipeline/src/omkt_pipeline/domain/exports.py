"""What an NFS server exports, and whether a farm may stand on it.

The text is that of /var/lib/nfs/etab: what the server does by now, with every default spelt out (exports(5), exportfs(8)).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import PurePosixPath

_LINE = re.compile(r"^(?P<path>\S+)\s+(?P<client>[^\s(]+)\((?P<options>[^)]*)\)\s*$")
_OCTAL = re.compile(r"\\([0-7]{3})")

#: Networks that no router of the Internet knows; all of a client's network must lie in one of them.
_PRIVATE = tuple(
    ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
)

#: Options that must not be there: what goes wrong with them, and what to write instead.
_UNSAFE = {
    "async": ("a power loss of the server takes back files that it had confirmed", "sync"),
    "no_root_squash": ("root of any client is root on the share", "root_squash"),
    "subtree_check": ("files that are renamed while they are open go stale", "no_subtree_check"),
    "ro": ("nothing can be written", "rw"),
}


@dataclass(frozen=True, kw_only=True)
class Export:
    """One folder for one client, network or pattern."""

    path: str
    client: str
    options: frozenset[str]


def parse_exports(text: str) -> tuple[Export, ...]:
    """Read the server's table; lines that are none are left out."""
    found = (_LINE.match(line) for line in text.splitlines())
    return tuple(
        Export(
            path=_OCTAL.sub(lambda code: chr(int(code[1], 8)), match["path"]),
            client=match["client"],
            options=frozenset(match["options"].split(",")),
        )
        for match in found
        if match
    )


def faults_of(exports: Iterable[Export], tree: str) -> tuple[str, ...]:
    """Why no other host may work on the folder `tree`: a sentence with its cure for each reason; none when it is safe."""
    carrying = [export for export in exports if PurePosixPath(tree).is_relative_to(export.path)]
    if not carrying:
        return (f"The main host's NFS server does not export {tree}. Run nfs/serve.sh on the main host.",)
    return tuple(fault for export in carrying for fault in _faults(export))


def _faults(export: Export) -> Iterable[str]:
    where = f"{export.path} is exported to {export.client}"
    for option, (harm, instead) in _UNSAFE.items():
        if option in export.options:
            yield (
                f"{where} with {option}: {harm}. Write {instead} in the main host's exports and run exportfs -ra "
                "(nfs/serve.sh does both)."
            )
    if _is_open(export.client):
        yield (
            f"{where}: to everybody, or to more than a private network. Name the hosts, or one private network, and run "
            "exportfs -ra."
        )


def _is_open(client: str) -> bool:
    if set(client) & set("*?["):
        return True  # a pattern: whoever names a machine so is let in
    try:
        network = ip_network(client, strict=False)
    except ValueError:  # a host name or a netgroup: the operator's own naming
        return False
    return not any(network[0] in private and network[-1] in private for private in _PRIVATE)
