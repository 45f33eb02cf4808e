"""When is a running chunk so late that beginning it again elsewhere ends sooner? Pure arithmetic over what is known."""

from dataclasses import dataclass

#: What runs for less long than this says nothing yet.
_LEAST_SECONDS = 15.0
#: Below this progress nothing can be foretold from it.
_LEAST_PROGRESS = 0.02
#: A second start must promise to end in this part of what the first still needs: guesses err, and work is not free.
_CLEARLY = 0.6


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A chunk that is being encoded."""

    elapsed: float  #: seconds since its attempt began
    progress: float  #: 0..1
    cost: float  #: estimated CPU seconds

    @property
    def remaining(self) -> float:
        """Seconds until it ends if it goes on as it did; without end while it has hardly begun."""
        if self.progress < _LEAST_PROGRESS:
            return float("inf")
        return self.elapsed * (1 - self.progress) / self.progress


def deserves_second_start(runner: Runner, pace: float | None) -> bool:
    """Whether a free host should begin this chunk again.

    `pace`: seconds that the job's finished chunks took for a unit of cost, in the middle; None while none is finished.
    """
    if pace is None or runner.elapsed < _LEAST_SECONDS:
        return False
    anew = pace * runner.cost
    # What has only begun is late when it took longer than a whole chunk usually does.
    return runner.elapsed > anew and anew < _CLEARLY * runner.remaining
