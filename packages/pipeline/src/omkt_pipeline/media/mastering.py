"""HDR10's static metadata in the words of the encoders."""

from collections.abc import Callable, Sequence

from omkt_pipeline.domain.media import Mastering

_X265, _SVT = "-x265-params", "-svtav1-params"


def with_mastering(codec: str, words: Sequence[str], mastering: Mastering | None) -> list[str]:
    """An encoder's options with what it has to write about HDR."""
    if codec == "hevc":
        return appended(words, _X265, ["hdr10=1", "repeat-headers=1", *_x265(mastering)])
    said = _svt(mastering)
    return appended(words, _SVT, said) if said else list(words)


def appended(words: Sequence[str], option: str, more: Sequence[str]) -> list[str]:
    """An encoder's options with more of its own parameters, behind those that are there."""
    found = list(words)
    if option not in found:
        return [*found, option, ":".join(more)]
    at = found.index(option) + 1
    found[at] = ":".join([found[at], *more])
    return found


def _x265(mastering: Mastering | None) -> list[str]:
    """x265: chromaticities in steps of 0.00002, light in steps of 0.0001 cd/m²."""
    return _said(
        mastering,
        names=("master-display", "max-cll"),
        spot=lambda x, y: f"({round(x * 50000)},{round(y * 50000)})",
        light=lambda most, least: f"({round(most * 10000)},{round(least * 10000)})",
    )


def _svt(mastering: Mastering | None) -> list[str]:
    """SVT-AV1: chromaticities and light as they are."""
    return _said(
        mastering,
        names=("mastering-display", "content-light"),
        spot=lambda x, y: f"({x:.5f},{y:.5f})",
        light=lambda most, least: f"({most:.4f},{least:.4f})",
    )


def _said(
    mastering: Mastering | None,
    *,
    names: tuple[str, str],
    spot: Callable[[float, float], str],
    light: Callable[[float, float], str],
) -> list[str]:
    if mastering is None:
        return []
    said = []
    if mastering.display:
        red_x, red_y, green_x, green_y, blue_x, blue_y, white_x, white_y, most, least = mastering.display
        spots = f"G{spot(green_x, green_y)}B{spot(blue_x, blue_y)}R{spot(red_x, red_y)}WP{spot(white_x, white_y)}"
        said.append(f"{names[0]}={spots}L{light(most, least)}")
    if mastering.max_content or mastering.max_average:
        said.append(f"{names[1]}={mastering.max_content or 0},{mastering.max_average or 0}")
    return said
