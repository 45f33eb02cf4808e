"""When a host that works on another host's share may begin."""

from omkt_pipeline.domain.finding import Finding
from omkt_pipeline.storage.gate import ShareGate

FINE = Finding(subject="share: hard", found="A write waits.")
SOFT = Finding(subject="share: hard", found="It is soft.", cure="Write hard.")


class Share:
    """Counts how often it is examined."""

    def __init__(self, *findings: Finding) -> None:
        self.findings, self.times, self.now = findings, 0, 0.0

    def examine(self) -> tuple[Finding, ...]:
        self.times += 1
        return self.findings

    def clock(self) -> float:
        return self.now


def test_a_fit_share_is_examined_once() -> None:
    share = Share(FINE)
    gate = ShareGate(share.examine, clock=share.clock)
    for share.now in range(0, 1000, 10):
        assert gate.why_closed() is None
    assert share.times == 1


def test_an_unfit_share_is_told_with_its_cure_and_examined_again_now_and_then() -> None:
    share = Share(FINE, SOFT)
    gate = ShareGate(share.examine, clock=share.clock)
    assert [gate.why_closed() for _ in range(5)] == ["It is soft. Write hard."] * 5
    assert share.times == 1

    share.findings, share.now = (FINE,), 31.0
    assert gate.why_closed() is None
