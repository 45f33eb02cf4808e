"""Filter fragments that bring any source's colours to BT.709 SDR, tagged as such."""

from omkt_pipeline.domain.media import Colour

_TRANSFERS = {"pq": "smpte2084", "hlg": "arib-std-b67"}
#: Tags that are written into every output, whatever the source said.
TAGGED = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"


def tone_mapped(curve: str, colour: Colour, width: int, height: int) -> str:
    """HDR to SDR, at the size of the largest rendition so that the costly part sees no pixel too many."""
    range_in = "full" if colour.range == "pc" else "limited"
    return ",".join(
        (
            f"zscale=w={width}:h={height}:tin={_TRANSFERS[curve]}:pin=bt2020:min=bt2020nc:rin={range_in}:t=linear:npl=100",
            "format=gbrpf32le",
            "zscale=p=bt709",
            "tonemap=tonemap=hable:desat=0",
            "zscale=t=bt709:m=bt709:p=bt709:r=limited",
            "format=yuv420p",
        )
    )


def kept(width: int, height: int, colour: Colour) -> str:
    """Scale HDR as it is, with ten bits, tagged as what it is."""
    return (
        f"scale={width}:{height}:flags=bicubic:in_color_matrix=bt2020:in_range={colour.range}"
        ":out_color_matrix=bt2020:out_range=tv,format=yuv420p10le,setsar=1,"
        f"setparams=range=tv:color_primaries=bt2020:color_trc={_TRANSFERS[colour.hdr or 'pq']}:colorspace=bt2020nc"
    )


def scaled(width: int, height: int, colour: Colour | None, *, full_range: bool = False) -> str:
    """Scale and convert to BT.709 in one step; `colour` is the source's, None when it is BT.709 SDR already."""
    source = colour or Colour(range="tv", matrix="bt709")
    return (
        f"scale={width}:{height}:flags=bicubic"
        f":in_color_matrix={_matrix(source)}:in_range={source.range}"
        f":out_color_matrix=bt709:out_range={'pc' if full_range else 'tv'}"
    )


def _matrix(colour: Colour) -> str:
    """swscale's name for the matrix."""
    return {"bt2020nc": "bt2020", "bt2020c": "bt2020", "bt470bg": "bt601", "smpte170m": "bt601"}.get(
        colour.matrix or "bt709", colour.matrix or "bt709"
    )
