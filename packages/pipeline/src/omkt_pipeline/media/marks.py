"""A picture laid over the film: the operands of ffmpeg's `overlay`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.recipe import VideoRendition, Watermark

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: Where the picture's left upper corner lies, by the sizes of the film (W, H), the picture (w, h) and the margin (m).
_PLACES = {
    "top-left": "m:m",
    "top-right": "W-w-m:m",
    "bottom-left": "m:H-h-m",
    "bottom-right": "W-w-m:H-h-m",
    "center": "(W-w)/2:(H-h)/2",
}


def images_of(renditions: Sequence[VideoRendition]) -> list[str]:
    """The pictures that renditions carry, each once: further inputs, in this order behind the film."""
    return list(dict.fromkeys(one.watermark.image for one in renditions if one.watermark is not None))


def image_inputs(renditions: Sequence[VideoRendition], images: Mapping[str, Path]) -> list[str]:
    """The options and `-i` for each picture; `images` says where it lies."""
    return [
        word
        for image in images_of(renditions)
        for word in ("-protocol_whitelist", "file,pipe", "-f", "png_pipe", "-i", f"file:{images[image]}")
    ]


def prepared(mark: Watermark, rendition: VideoRendition) -> str:
    """The filters that bring a picture to its size and opacity."""
    width = max(2, round(mark.size * rendition.width))
    return f"format=rgba,scale={width}:-1:flags=bicubic,colorchannelmixer=aa={mark.opacity:g}"


def laid_over(mark: Watermark, rendition: VideoRendition) -> str:
    """The filter that takes the film and the prepared picture. What does not move is there from the first frame to the last."""
    margin = round(mark.margin * min(rendition.width, rendition.height))
    x, y = (part.replace("m", str(margin)) for part in _PLACES[mark.corner].split(":"))
    return f"overlay=x={x}:y={y}:format=yuv420:eof_action=repeat"


def check_image(path: Path, name: str) -> None:
    """Raise SourceError (watermark_unusable) unless the file is a PNG."""
    try:
        with path.open("rb") as stream:
            fine = stream.read(8) == _SIGNATURE
    except OSError:
        fine = False
    if not fine:
        raise SourceError(
            f"The watermark {name} is not a PNG in the share's folder incoming.", code="watermark_unusable"
        )
