"""How large a picture becomes: fitted into its rung, never squeezed, always even, enlarged only where it must be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from omkt_pipeline.domain.preset import Rung, VideoSettings
from omkt_pipeline.domain.recipe import VideoRendition, Watermark
from omkt_pipeline.planning.timing import gop_frames

#: A source this much larger than the best rung that fits deserves the next rung at its own size.
_WORTH_A_RUNG = Fraction(11, 10)
#: Pixels of the shorter side that an encoder takes at least: x265, and SVT-AV1 up to its version 2.3.
_SMALLEST = {"hevc": 16, "av1": 64}


@dataclass(frozen=True)
class Fitted:
    """A rung with the size its picture gets."""

    rung: Rung
    width: int
    height: int
    enlarged: bool = False  #: because no smaller picture is taken by the encoder


def box_of(size: int, *, portrait: bool) -> tuple[Fraction, Fraction]:
    """The 16:9 box whose short side is `size`; it stands upright for portrait pictures.

    So 1080 takes 1920x1080, 1080x1920 from a phone, 1920x804 of a wide film and 1080x1080 of a square one, which is
    what the large video sites mean by "1080p".
    """
    long_side, short_side = Fraction(size * 16, 9), Fraction(size)
    return (short_side, long_side) if portrait else (long_side, short_side)


def scale_into(size: tuple[int, int], rung_size: int) -> Fraction:
    """The factor by which a picture fills the rung's box; above 1 it would be enlarged."""
    width, height = size
    box_width, box_height = box_of(rung_size, portrait=height > width)
    return min(box_width / width, box_height / height)


def fit(size: tuple[int, int], rung_size: int) -> tuple[int, int]:
    """Even width and height of a picture fitted into the rung's box, never enlarged."""
    factor = min(scale_into(size, rung_size), Fraction(1))
    return _even(size[0] * factor), _even(size[1] * factor)


def ladder_for(size: tuple[int, int], rungs: Sequence[Rung], codec: str) -> tuple[list[Fitted], list[Rung]]:
    """The rungs to make, best first, and those left out because they would enlarge the picture.

    There is always at least one: the smallest rung takes a small source at its own size. When a source lies well
    between two rungs, the upper one is made at the source's own size, so that nobody loses sharpness.
    """
    ordered = sorted(rungs, key=lambda rung: rung.size, reverse=True)
    kept = [rung for rung in ordered if scale_into(size, rung.size) <= 1]
    larger = [rung for rung in ordered if rung not in kept]
    if larger and (not kept or 1 / scale_into(size, kept[0].size) > _WORTH_A_RUNG):
        kept.insert(0, larger.pop())
    fitted: list[Fitted] = []
    for rung in kept:
        width, height = fit(size, rung.size)
        if not fitted or (width, height) != (fitted[-1].width, fitted[-1].height):
            fitted.append(Fitted(rung, width, height))
    return [_large_enough(item, _SMALLEST.get(codec, 0)) for item in fitted], larger


def _large_enough(item: Fitted, smallest: int) -> Fitted:
    short = min(item.width, item.height)
    if short >= smallest:
        return item
    factor = Fraction(smallest, short)
    return replace(item, width=_even(item.width * factor), height=_even(item.height * factor), enlarged=True)


def renditions_of(
    fitted: Sequence[Fitted], settings: VideoSettings, rate: Fraction, *, hdr: bool
) -> tuple[VideoRendition, ...]:
    """What is encoded for the rungs of a preset, at so many frames per second."""
    return tuple(
        VideoRendition(
            name=_name(item.rung.size, settings.codec, hdr=hdr),
            width=item.width,
            height=item.height,
            codec=settings.codec,
            crf=item.rung.crf,
            kbps=item.rung.kbps,
            max_kbps=item.rung.max_kbps,
            buffer_kbits=round(item.rung.max_kbps * settings.buffer_seconds),
            speed=settings.speed,
            profile=settings.profile,
            gop_frames=gop_frames(rate, settings.gop_seconds),
            two_pass=settings.two_pass,
            hdr=hdr,
            watermark=Watermark(**settings.watermark.model_dump()) if settings.watermark else None,
            quality=tuple(sorted(set(settings.quality))),
        )
        for item in fitted
    )


def _name(size: int, codec: str, *, hdr: bool) -> str:
    return "-".join((f"{size}p", *([codec] if codec != "h264" else []), *(["hdr"] if hdr else [])))


def _even(length: Fraction) -> int:
    """The nearest even number; 4:2:0 has no odd sizes."""
    return max(2, 2 * round(length / 2))
