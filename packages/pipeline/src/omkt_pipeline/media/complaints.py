"""What ffmpeg's and ffprobe's words mean: stderr in, our error out."""

import re
from dataclasses import dataclass

from omkt_pipeline.domain.errors import OmktError, SourceError, Unavailable

NOT_MEDIA = "This is not a film or sound file of a kind we read."


@dataclass(frozen=True)
class _Meaning:
    pattern: str
    kind: type[OmktError]
    code: str
    sentence: str


#: First match wins; trouble of ours before trouble of the source. Matched against the last lines in small letters.
_MEANINGS = (
    _Meaning("no space left on device|disk quota exceeded", Unavailable, "scratch_full", "The local scratch is full."),
    _Meaning(
        "input/output error|stale file handle|transport endpoint",
        Unavailable,
        "source_io",
        "The source could not be read to its end.",
    ),
    _Meaning("permission denied", Unavailable, "source_io", "The source may not be read by this service."),
    _Meaning("no such file or directory", SourceError, "source_missing", "The source is no longer there."),
    _Meaning(
        r"codec \(.*\) not on whitelist",
        SourceError,
        "source_unsupported",
        "The source holds a track in a codec that we do not open.",
    ),
    _Meaning(
        "not on whitelist",
        SourceError,
        "source_not_media",
        f"{NOT_MEDIA} Playlists, scripts, stills and text are not opened.",
    ),
    _Meaning(
        "moov atom not found",
        SourceError,
        "source_truncated",
        "The file ends before its index: the upload or recording broke off.",
    ),
    _Meaning("file too large", SourceError, "output_too_large", "What this source makes is larger than a file may be."),
    _Meaning(
        "picture size .* (is invalid|exceeds)",
        SourceError,
        "source_too_large",
        "The picture is larger than this farm takes.",
    ),
    _Meaning(
        "decoder .* not found|unknown codec|no decoder|could not find codec",
        SourceError,
        "source_unsupported",
        "The source uses a codec that we do not decode.",
    ),
    _Meaning("encrypted|encryption|decryption", SourceError, "source_encrypted", "The source is encrypted."),
    _Meaning(
        "matches no streams|does not contain any stream",
        SourceError,
        "source_no_tracks",
        "The source holds neither picture nor sound.",
    ),
    _Meaning(
        "cannot allocate memory|out of memory",
        SourceError,
        "source_too_complex",
        "Reading the source would take more memory than this farm gives.",
    ),
    _Meaning(
        "error reading header|invalid data found|end of file|could not find",
        SourceError,
        "source_damaged",
        "The source cannot be read: it is damaged or incomplete.",
    ),
)

_LINES_READ = 40


def meaning_of(stderr: str) -> OmktError | None:
    """The error that a tool's last words stand for, or None when they tell nothing about the cause."""
    # A file's name is anybody's text and must not be taken for a complaint.
    lines = (re.sub(r"file:/.*(?=: )", "file", line) for line in stderr.strip().splitlines()[-_LINES_READ:])
    tail = "\n".join(lines).lower()
    for meaning in _MEANINGS:
        if re.search(meaning.pattern, tail):
            return meaning.kind(meaning.sentence, code=meaning.code, log_tail=stderr)
    return None


def probe_meaning_of(stderr: str) -> OmktError:
    """The same for a file that ffprobe could not open: there the file is at fault unless something else is named."""
    found = meaning_of(stderr)
    if found is None or (found.code == "source_damaged" and "error reading header" not in stderr):
        return SourceError(NOT_MEDIA, code="source_not_media", log_tail=stderr)
    return found
