"""What the main host does on the database itself: migrate, and open it for the accounts."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TypeVar

from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError, DBAPIError

from omkt_cli.faults import Exit, Fault
from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.migrate import upgrade
from omkt_pipeline.db.revision import check_revision
from omkt_pipeline.db.rights import make_role_user, renew_rights
from omkt_pipeline.db.roles import Role
from omkt_pipeline.doctor import examine
from omkt_pipeline.domain.errors import OmktError, Refused, Unavailable
from omkt_pipeline.domain.finding import Finding
from omkt_pipeline.queue.farm import found_farm
from omkt_pipeline.queue.hosts import invited_users
from omkt_pipeline.settings import CommonSettings, DaemonSettings, MigrationSettings
from omkt_pipeline.storage.share import Share

T = TypeVar("T", bound=CommonSettings)
#: The database may be starting together with us.
PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 1.0


def migrate_all(*, tell: Callable[[str], None], patience_seconds: float = PATIENCE_SECONDS) -> Iterator[str]:
    """Bring the schema up to date, found the farm, make the share; yield a sentence for each. Raises Fault."""
    settings = _settings(MigrationSettings)
    with _opened(settings) as database, _spoken():
        revision = _patiently(lambda: upgrade(database), tell, patience_seconds)
        yield f"The database is at revision {revision}."
        farm = found_farm(database)
        yield f"The farm is {farm.id}."
        share = Share.create(settings.share_root, farm_id=farm.id)
        yield f"The share is {share.root}."
        yield from _role_users(database, settings)
        yield from _renewed_rights(database)


def _role_users(database: Database, settings: MigrationSettings) -> Iterator[str]:
    """Users for the roles of the main host, as far as passwords are given for them."""
    given = {Role.API: settings.role_api, Role.COURIER: settings.role_courier, Role.WORKER: settings.role_worker}
    users = [
        make_role_user(database, role, password.get_secret_value())
        for role, password in given.items()
        if password is not None
    ]
    if users:
        yield f"The database has users for this host's services: {', '.join(users)}."


def _renewed_rights(database: Database) -> Iterator[str]:
    users = invited_users(database)
    if not users:
        return
    try:
        renew_rights(database, users)
        yield f"The rights of {len(users)} secondary hosts are this version's."
    except Refused:
        yield (
            f"The rights of {len(users)} secondary hosts in the database are as they were. Before they are upgraded, run "
            "`docker compose run --rm admin migrate`, which may change them."
        )


@contextmanager
def database() -> Iterator[Database]:
    """The farm's database as the environment says, migrated. Raises Fault."""
    with _opened(_settings()) as opened, _spoken():
        check_revision(opened)
        yield opened


def examined() -> Iterator[Finding]:
    """What `omkt doctor` finds on this host. Raises Fault when the environment says nothing of a farm."""
    _settings()
    yield from examine(DaemonSettings(), with_ffmpeg=find_spec("omkt_transcoder") is not None)


@contextmanager
def _opened(settings: CommonSettings) -> Iterator[Database]:
    password = settings.database_password
    try:
        opened = Database(settings.database_url, password=password.get_secret_value() if password else None)
    except ArgumentError:
        raise Fault("OMKT_DATABASE_URL is not the address of a database.", Exit.USAGE) from None
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def _spoken() -> Iterator[None]:
    """Turn the pipeline's errors, and the database's own refusals, into sentences."""
    try:
        yield
    except OmktError as error:
        exit_code = Exit.UNREACHABLE if isinstance(error, Unavailable) else Exit.FAILED
        raise Fault(error.message, exit_code, code=error.code) from error
    except DBAPIError as error:
        raise Fault(f"The database refused: {error.orig}", Exit.UNREACHABLE) from error


def _settings(kind: type[T] = CommonSettings) -> T:  # type: ignore[assignment]
    try:
        return kind()
    except ValidationError as error:
        faults = "; ".join(f"OMKT_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
        raise Fault(
            f"The farm's settings are missing or wrong ({faults}). This command is for the main host; in containers: "
            "docker compose exec api omkt …",
            Exit.USAGE,
        ) from error


def _patiently(work: Callable[[], str], tell: Callable[[str], None], patience_seconds: float) -> str:
    deadline = time.monotonic() + patience_seconds
    told = False
    while True:
        try:
            return work()
        except Unavailable as error:
            if time.monotonic() > deadline:
                raise
            if not told:
                tell(f"Waiting for the database: {error.message}")
                told = True
            time.sleep(_PAUSE_SECONDS)
