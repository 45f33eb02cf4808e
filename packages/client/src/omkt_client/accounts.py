"""Accounts and the trail, for operators."""

from typing import Any

from pydantic import TypeAdapter

from omkt_client.call import Call, path
from omkt_client.models import Account, Accounts, NewAccount, NewKey, Trail

_ONE, _PAGE, _NEW = TypeAdapter(Account), TypeAdapter(Accounts), TypeAdapter(NewAccount)
_KEY, _TRAIL = TypeAdapter(NewKey), TypeAdapter(Trail)


def page(*, limit: int = 20, after: str = "") -> Call[Accounts]:
    """Accounts by name; `after` is the `next` of the page before."""
    return Call(method="GET", path=path("accounts"), answer=_PAGE, params={"limit": limit, "after": after})


def get(name: str) -> Call[Account]:
    """One account with its limits and what it uses of them."""
    return Call(method="GET", path=path("accounts", name), answer=_ONE)


def create(name: str, *, weight: float = 1.0, operator: bool = False, **limits: Any) -> Call[NewAccount]:
    """Make an account; limits are those of `Account`. The answer shows its first key, once."""
    body = {"name": name, "weight": weight, "operator": operator, **limits}
    return Call(method="POST", path=path("accounts"), answer=_NEW, body=body)


def change(name: str, **changes: Any) -> Call[Account]:
    """Change weight, operator or limits; a limit of None is none. What is not named stays."""
    return Call(method="PATCH", path=path("accounts", name), answer=_ONE, body=changes)


def add_key(name: str, key_name: str, *, scope: str) -> Call[NewKey]:
    """Make a key for an account that lost its own. The answer shows it, once."""
    body = {"name": key_name, "scope": scope}
    return Call(method="POST", path=path("accounts", name, "keys"), answer=_KEY, body=body)


def trail(*, limit: int = 20, before: int | None = None, account: str | None = None) -> Call[Trail]:
    """Who changed what, newest first; `before` is the `next` of the page before."""
    params = {"limit": limit, "before": before, "account": account}
    return Call(method="GET", path=path("farm", "trail"), answer=_TRAIL, params=params)
