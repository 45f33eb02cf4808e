"""The DASH manifest (ISO/IEC 23009-1) of tracks that were cut into CMAF segments: the same files that the HLS playlists name."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from omkt_pipeline.media.playlist import Rate

MANIFEST = "manifest.mpd"

_NAMESPACE = "urn:mpeg:dash:schema:mpd:2011"
#: Segments by number and timeline; and that they are CMAF, for players that care.
_PROFILES = "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019"
_ROLES = "urn:mpeg:dash:role:2011"
#: Code points of ISO/IEC 23091-2 for pictures in HDR.
_COLOURS = {
    "PQ": {"ColourPrimaries": "9", "TransferCharacteristics": "16", "MatrixCoefficients": "9"},
    "HLG": {"ColourPrimaries": "9", "TransferCharacteristics": "18", "MatrixCoefficients": "9"},
}
_CHANNELS = "urn:mpeg:mpegB:cicp:ChannelConfiguration"
#: Loudspeaker layouts by their number of channels (ISO/IEC 23091-3); where they differ from it.
_LAYOUTS = {7: 11, 8: 12}


@dataclass(frozen=True, kw_only=True)
class Track:
    """One rendition or sound, in a folder of its name with `init` and numbered segments."""

    name: str
    codec: str  #: RFC 6381
    rate: Rate
    timescale: int  #: units of a second
    begins_at: int  #: in these units, after the edit list of the track
    lengths: tuple[int, ...]  #: of all segments, in these units
    language: str | None = None
    width: int = 0
    height: int = 0
    frame_rate: Fraction | None = None
    range: str = "SDR"  #: SDR, PQ, HLG
    channels: int = 0

    @property
    def seconds(self) -> Fraction:
        """Where it ends on the presentation's clock."""
        return Fraction(self.begins_at + sum(self.lengths), self.timescale)


@dataclass(frozen=True, kw_only=True)
class TextFile:
    """Titles in one WebVTT file beside the manifest."""

    name: str
    uri: str
    bytes: int
    language: str | None = None
    forced: bool = False
    for_deaf: bool = False


def dash_manifest(
    pictures: Sequence[Track], sounds: Sequence[Track], texts: Sequence[TextFile] = (), *, init: str, segment: str
) -> str:
    """The manifest. All pictures are renditions of one, cut at the same moments; each sound is another one.

    `init` and `segment` are names inside a track's folder, the latter in DASH's words ($Number%05d$).
    """
    tracks = (*pictures, *sounds)
    longest = max(Fraction(length, track.timescale) for track in tracks for length in track.lengths)
    root = ET.Element(
        "MPD",
        {
            "xmlns": _NAMESPACE,
            "type": "static",
            "profiles": _PROFILES,
            "mediaPresentationDuration": _duration(max(track.seconds for track in tracks)),
            "minBufferTime": _duration(longest),
        },
    )
    period = ET.SubElement(root, "Period", {"id": "0", "start": "PT0S"})
    if pictures:
        _set(period, "video", pictures, init, segment)
    for number, sound in enumerate(sounds):
        added = _set(period, "audio", [sound], init, segment)
        added.insert(0, ET.Element("Role", {"schemeIdUri": _ROLES, "value": _role(number)}))
    whole = max(track.seconds for track in tracks)
    for text in texts:
        _titles(period, text, float(whole))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _set(period: ET.Element, kind: str, tracks: Sequence[Track], init: str, segment: str) -> ET.Element:
    said = {"contentType": kind, "mimeType": f"{kind}/mp4", "segmentAlignment": "true", "startWithSAP": "1"}
    if tracks[0].language:
        said["lang"] = tracks[0].language
    added = ET.SubElement(period, "AdaptationSet", said)
    for name, value in _COLOURS.get(tracks[0].range, {}).items():
        ET.SubElement(added, "SupplementalProperty", {"schemeIdUri": f"urn:mpeg:mpegB:cicp:{name}", "value": value})
    for track in tracks:
        _representation(added, track, init, segment)
    return added


def _titles(period: ET.Element, text: TextFile, seconds: float) -> None:
    said = {"contentType": "text", "mimeType": "text/vtt"} | ({"lang": text.language} if text.language else {})
    added = ET.SubElement(period, "AdaptationSet", said)
    role = "forced-subtitle" if text.forced else "caption" if text.for_deaf else "subtitle"
    ET.SubElement(added, "Role", {"schemeIdUri": _ROLES, "value": role})
    bandwidth = max(1, round(text.bytes * 8 / max(seconds, 0.001)))
    representation = ET.SubElement(added, "Representation", {"id": text.name, "bandwidth": str(bandwidth)})
    ET.SubElement(representation, "BaseURL").text = text.uri


def _representation(parent: ET.Element, track: Track, init: str, segment: str) -> None:
    said = {"id": track.name, "codecs": track.codec, "bandwidth": str(track.rate.peak)}
    if track.width:
        said |= {"width": str(track.width), "height": str(track.height), "sar": "1:1"}
    if track.frame_rate is not None:
        said["frameRate"] = str(track.frame_rate)
    if track.channels:
        said["audioSamplingRate"] = str(track.timescale)
    added = ET.SubElement(parent, "Representation", said)
    if track.channels:
        layout = str(_LAYOUTS.get(track.channels, track.channels))
        ET.SubElement(added, "AudioChannelConfiguration", {"schemeIdUri": _CHANNELS, "value": layout})
    template = ET.SubElement(
        added,
        "SegmentTemplate",
        {
            "timescale": str(track.timescale),
            "initialization": f"$RepresentationID$/{init}",
            "media": f"$RepresentationID$/{segment}",
            "startNumber": "0",
        },
    )
    timeline = ET.SubElement(template, "SegmentTimeline")
    for number, (length, alike) in enumerate(groupby(track.lengths)):
        repeated = len(list(alike)) - 1
        entry = {"t": str(track.begins_at)} if number == 0 else {}
        ET.SubElement(timeline, "S", entry | {"d": str(length)} | ({"r": str(repeated)} if repeated else {}))


def _role(number: int) -> str:
    return "main" if number == 0 else "alternate"


def _duration(seconds: Fraction) -> str:
    return f"PT{float(seconds):.3f}S"
