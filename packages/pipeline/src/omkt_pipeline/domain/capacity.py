"""What the farm can do at once, as far as a plan must know it."""

from omkt_pipeline.domain.plan import Value


class Capacity(Value):
    """The living slots that encode. The default is the smallest farm: nothing is gained by cutting for it."""

    slots: int = 1
    hosts: int = 1
    uneven: bool = False  #: the fastest host is at least half as fast again as the slowest
    #: Some of them read the share over a network, while a worker that probes sits where its disk is.
    afar: bool = False


class ChunkRules(Value):
    """How long chunks may be, in seconds of the film. An operator's settings; `target` gives way to `min`."""

    min_seconds: float = 15.0
    target_seconds: float = 60.0
