"""How large, long and heavy a source may be, and what one media tool may take while reading it."""

from omkt_pipeline.domain.plan import Value

_GIB = 1 << 30


class Limits(Value):
    """Bounds of one farm. The defaults take everything cameras, phones and editors make, up to 8K film for half a day."""

    #: 8192 x 4320, the largest picture of the common levels. A decoder is never given more, whatever the container says.
    max_pixels: int = 35_389_440
    max_duration_seconds: float = 12 * 3600.0
    #: Streams a container may announce; films with many languages have some thirty.
    max_streams: int = 64
    max_channels: int = 32
    #: Probing reads headers; whoever needs longer is hostile or on a dead disk.
    probe_seconds: float = 60.0
    probe_memory_bytes: int = 3 * _GIB
    #: No new picture or sound for this long is a hang, however many lines are printed.
    stall_seconds: float = 120.0
    #: Address space, not resident memory: threads reserve much and use little of it.
    encode_memory_bytes: int = 24 * _GIB
    #: One file may not outgrow this.
    max_file_bytes: int = 256 * _GIB

    def wall_seconds(self, cost: float, threads: int) -> float:
        """The longest that work of this estimated cost (CPU seconds) may take before it is called a hang."""
        return max(600.0, 20.0 * cost / max(1, threads))

    def pass_seconds(self, duration: float) -> float:
        """The longest that one pass over a source of so many seconds may take before it is called a hang."""
        return 600.0 + 20.0 * duration
