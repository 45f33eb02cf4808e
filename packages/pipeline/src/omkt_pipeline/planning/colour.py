"""What a source's colours are when it does not say."""

from omkt_pipeline.domain.media import Colour, VideoTrack

_HDR_MATRIX = "bt2020nc"
#: Matrices that swscale knows by name; anything else is treated as what its size suggests.
_MATRICES = frozenset({"bt709", "smpte170m", "bt470bg", "smpte240m", "fcc", "bt2020nc", "bt2020c"})


def colour_of(track: VideoTrack) -> Colour:
    """The track's colour tags, completed by the usual rule: SD sizes are BT.601, HD is BT.709, HDR is BT.2020."""
    tags = track.colour
    wide = bool(tags.hdr)
    guessed = _HDR_MATRIX if wide else _by_size(track)
    return Colour(
        range=tags.range or ("pc" if _full_range(track.pixel_format) else "tv"),
        matrix=tags.matrix if tags.matrix in _MATRICES else guessed,
        transfer=tags.transfer or "bt709",
        primaries=tags.primaries or ("bt2020" if wide else "bt709"),
    )


def _by_size(track: VideoTrack) -> str:
    if track.width >= 1280 or track.height > 576:
        return "bt709"
    return "bt470bg" if track.height == 576 else "smpte170m"


def _full_range(pixel_format: str | None) -> bool:
    return str(pixel_format).startswith(("yuvj", "rgb", "bgr", "gbr", "argb", "abgr", "pal8"))
