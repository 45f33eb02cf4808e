"""Which error has which status, and what clients may read."""

import pytest

from omkt_api.problems import detail_of, status_of
from omkt_pipeline.domain.errors import (
    Conflict,
    FetchError,
    NotFound,
    OmktError,
    Refused,
    ShareUnusable,
    TooLarge,
    Unavailable,
    VerifyError,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Refused(code="preset_unknown"), 400),
        (FetchError(code="source_url_invalid"), 400),
        (Refused(code="key_missing"), 401),
        (Refused(code="key_invalid"), 401),
        (NotFound(code="job_unknown"), 404),
        (Conflict(code="job_ended"), 409),
        (NotFound(code="link_expired"), 410),
        (TooLarge(code="body_too_large"), 413),
        (Conflict(code="idempotency_mismatch"), 422),
        (Unavailable(code="database_away"), 503),
        (ShareUnusable(), 503),
        (ShareUnusable(code="share_full"), 507),
        (VerifyError(), 500),
        (OmktError(), 500),
    ],
)
def test_every_kind_of_error_has_its_status(error: OmktError, status: int) -> None:
    assert status_of(error) == status


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("(2003, \"Can't connect to MySQL server on 'db7' (111)\")", code="database_away"),
        ShareUnusable("/share/results/x cannot be opened: Permission denied", code="file_damaged"),
        Unavailable("db7 secret", code="a_code_of_tomorrow"),
        ShareUnusable("/share secret", code="a_code_of_tomorrow"),
    ],
)
def test_clients_read_nothing_of_hosts_and_paths(error: OmktError) -> None:
    assert "db7" not in detail_of(error)
    assert "/share" not in detail_of(error)
    assert detail_of(error)


def test_clients_read_why_they_were_refused() -> None:
    assert detail_of(Refused("There is no preset 'x'.")) == "There is no preset 'x'."
