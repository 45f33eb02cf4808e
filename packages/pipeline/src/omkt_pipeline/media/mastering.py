"""HDR10's static metadata in the words of the encoders."""

from collections.abc import Sequence

from omkt_pipeline.domain.media import Mastering

_X265, _SVT = "-x265-params", "-svtav1-params"


def with_mastering(codec: str, words: Sequence[str], mastering: Mastering | None) -> list[str]:
    """An encoder's options with what it has to write about HDR."""
    if codec == "hevc":
        return appended(words, _X265, [*(["hdr10=1", "repeat-headers=1"]), *_x265(mastering)])
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
    if mastering is None:
        return []
    said = []
    if mastering.display:
        *points, most, least = mastering.display
        red, green, blue, white = ((points[n], points[n + 1]) for n in range(0, 8, 2))
        spots = "".join(
            f"{name}({round(x * 50000)},{round(y * 50000)})"
            for name, (x, y) in (("G", green), ("B", blue), ("R", red), ("WP", white))
        )
        said.append(f"master-display={spots}L({round(most * 10000)},{round(least * 10000)})")
    if mastering.max_content or mastering.max_average:
        said.append(f"max-cll={mastering.max_content or 0},{mastering.max_average or 0}")
    return said


def _svt(mastering: Mastering | None) -> list[str]:
    """SVT-AV1: chromaticities and light as they are."""
    if mastering is None:
        return []
    said = []
    if mastering.display:
        *points, most, least = mastering.display
        red, green, blue, white = ((points[n], points[n + 1]) for n in range(0, 8, 2))
        spots = "".join(
            f"{name}({x:.5f},{y:.5f})" for name, (x, y) in (("G", green), ("B", blue), ("R", red), ("WP", white))
        )
        said.append(f"mastering-display={spots}L({most:.4f},{least:.4f})")
    if mastering.max_content or mastering.max_average:
        said.append(f"content-light={mastering.max_content or 0},{mastering.max_average or 0}")
    return said
