"""How a command ends: its exit code, and its fault as one sentence for a person."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes. `omkt --help` and the README list them; they do not change."""

    OK = 0  #: done
    FAILED = 1  #: the job failed or was cancelled, or the farm refused what was asked
    USAGE = 2  #: the command line, a setting or a named file is wrong
    UNREACHABLE = 3  #: the server or the database does not answer
    INTERRUPTED = 130  #: Ctrl-C


class Fault(Exception):
    """The command cannot go on. The message is a whole sentence, and says what to do where that is known."""

    def __init__(self, message: str, exit_code: Exit = Exit.FAILED, *, code: str | None = None) -> None:
        self.message = message
        self.exit_code = exit_code
        #: The server's stable error code, when it said one.
        self.code = code
        super().__init__(message)
