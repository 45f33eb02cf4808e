"""Keys are trusted for seconds, so that a revoked one does not work for long."""

from omkt_api.deps import KEY_TRUSTED_SECONDS, KnownKeys
from omkt_pipeline.domain.account import Account

ME = Account(id=1, name="me", webhook_secret="whsec_x")


def test_a_good_key_is_trusted_for_a_moment_only() -> None:
    clock = [100.0]
    keys = KnownKeys(clock=lambda: clock[0])
    keys.remember("omkt_a", ME)

    assert keys.get("omkt_a") == ME
    assert keys.get("omkt_b") is None
    clock[0] += KEY_TRUSTED_SECONDS
    assert keys.get("omkt_a") is None


def test_the_memory_for_keys_is_bounded() -> None:
    keys = KnownKeys(clock=lambda: 0.0)
    for number in range(5000):
        keys.remember(f"omkt_{number}", ME)

    assert keys.get("omkt_4999") == ME
    assert len(keys._known) <= 1000
