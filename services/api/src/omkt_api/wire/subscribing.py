"""app_subscribe: a program makes itself an account."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from omkt_api.guard import OutsidePolicy, check_url
from omkt_api.wire.codes import Code, WireError
from omkt_api.wire.php import Value, text_of
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import Conflict, FetchError
from omkt_pipeline.queue.wire import clients

#: One address, and nothing by which a mail gets further recipients or headers.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_MAX_EMAIL = 190
_MAX_APP_KEY = 32


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a program says of itself."""

    email: str
    url: str
    app_key: str
    application: str
    version: str


def wanted(parameters: Mapping[str, Value], policy: OutsidePolicy) -> Wanted:
    """The account that is asked for. Raises WireError (505)."""
    said = {name: text_of(parameters, name) for name in Wanted.__dataclass_fields__}
    missing = [name for name, value in said.items() if value is None]
    if missing:
        raise WireError(Code.BAD_PARAMETER, f"Missing: {', '.join(missing)}.")
    found = Wanted(**{name: value or "" for name, value in said.items()})
    check_client(found.email, found.url, found.app_key, policy)
    return found


def check_client(email: str, url: str, app_key: str, policy: OutsidePolicy) -> None:
    """Raise WireError (505) for what no client can have."""
    if len(email) > _MAX_EMAIL or not _EMAIL.fullmatch(email):
        raise WireError(Code.BAD_PARAMETER, "email must be one e-mail address.")
    if len(app_key) > _MAX_APP_KEY or not app_key.isprintable():
        raise WireError(Code.BAD_PARAMETER, f"app_key may have at most {_MAX_APP_KEY} characters.")
    try:
        check_url(url, policy)
    except FetchError as error:
        raise WireError(Code.BAD_PARAMETER, f"url cannot be called: {error.message}") from None


def subscribe(database: Database, found: Wanted) -> str:
    """Make the account; return its key. Raises WireError (510) when the address has one."""
    try:
        return clients.subscribe(database, email=found.email, url=found.url, app_key=found.app_key)
    except Conflict:
        raise WireError(Code.CREATE_ACCOUNT, "The account cannot be created: this address has one already.") from None
