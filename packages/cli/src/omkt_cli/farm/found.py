"""The first start: database, share, an account named "me" and its key. Every later start finds them."""

import os
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from omkt_cli.farm.place import Place
from omkt_cli.faults import Fault
from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.migrate import upgrade
from omkt_pipeline.domain.account import ApiKey
from omkt_pipeline.domain.errors import Conflict, OmktError, Refused
from omkt_pipeline.queue import accounts
from omkt_pipeline.queue.farm import found_farm
from omkt_pipeline.storage.share import Share

ACCOUNT = "me"


def database_url(place: Place) -> str:
    """The farm's SQLite file as an address; a folder's name may hold what an address must escape."""
    return URL.create("sqlite", database=str(place.database.resolve())).render_as_string()


def found(place: Place) -> str:
    """Make what is missing and return the key. Raises Fault."""
    try:
        database = Database(database_url(place))
        try:
            upgrade(database)
            Share.create(place.share.resolve(), farm_id=found_farm(database).id)
            return _key(database, place)
        finally:
            database.close()
    except OmktError as error:
        raise Fault(error.message, code=error.code) from error
    except DBAPIError as error:
        raise Fault(f"{place.database} cannot be used: {error.orig}. Name another folder with --root.") from error


def _key(database: Database, place: Place) -> str:
    kept = place.key()
    if kept is not None:
        try:
            accounts.authenticate(database, kept)
        except Refused:
            kept = None
    return kept or _write(place.key_file, _new_key(database))


def _new_key(database: Database) -> ApiKey:
    try:
        return accounts.create_account(database, ACCOUNT)[1]
    except Conflict:
        return accounts.add_key(database, ACCOUNT, "another")


def _write(path: Path, key: ApiKey) -> str:
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(f"{key}\n")
    part.replace(path)
    return str(key)
