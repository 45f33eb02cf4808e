"""Media types of the files that we make, by their endings."""

from pathlib import PurePosixPath

#: Never guessed from the content: a film that looks like a page to a browser is still a film.
_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".m4a": "audio/mp4",
    ".m4v": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".flv": "video/x-flv",
    ".mpg": "video/mpeg",
    ".ogg": "audio/ogg",
    ".ts": "video/mp2t",
    ".aac": "audio/aac",
    ".mp3": "audio/mpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".vtt": "text/vtt; charset=utf-8",
    ".json": "application/json",
    ".zip": "application/zip",
}


def content_type(path: str) -> str:
    """The media type of a file that we made, by its ending."""
    return _TYPES.get(PurePosixPath(path).suffix, "application/octet-stream")
