"""An invitation: all that a new host must know to join, as the lines of its .env. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from omkt_cli.faults import Exit, Fault


@dataclass(frozen=True, kw_only=True)
class MainHost:
    """How other hosts reach the main host."""

    address: str
    database_port: str
    database_name: str
    nfs_path: str
    image_version: str

    @classmethod
    def described(cls, environment: Mapping[str, str], *, address: str | None, database_name: str) -> "MainHost":
        """As the main host's settings say. Raises Fault when nobody says where it is."""
        found = address or environment.get("OMKT_PRIVATE_ADDRESS", "")
        if not found:
            raise Fault(
                "Which address of this host do the others reach? Set OMKT_PRIVATE_ADDRESS in .env, or say --address.",
                Exit.USAGE,
            )
        return cls(
            address=found,
            database_port=environment.get("OMKT_DATABASE_PORT") or "3306",
            database_name=database_name,
            nfs_path=environment.get("OMKT_NFS_PATH") or "/",
            image_version=environment.get("OMKT_VERSION") or "local",
        )


def invitation(host: str, main: MainHost, *, user: str, password: str) -> str:
    """The text that `compose/join.sh` takes on the new host. It holds a password: whoever has it can work as this host."""
    bare = f"[{main.address}]" if ":" in main.address else main.address
    lines = {
        "OMKT_ROLE": "secondary",
        "COMPOSE_PROFILES": "secondary",
        "OMKT_HOST_NAME": host,
        "OMKT_DATABASE_URL": f"mysql+pymysql://{quote(user)}@{bare}:{main.database_port}/{main.database_name}",
        "OMKT_DATABASE_PASSWORD": password,
        "OMKT_NFS_ADDRESS": main.address,
        "OMKT_NFS_PATH": main.nfs_path,
        "OMKT_VERSION": main.image_version,
    }
    head = f"# The invitation of the host {host}. On that host: ./compose/join.sh FILE, then docker compose up -d\n"
    return head + "".join(f"{name}={value}\n" for name, value in lines.items())
