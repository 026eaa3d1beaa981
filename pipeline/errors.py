"""Errors that a user can do something about, and the exit codes of the command line."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command; documented in docs/exit-codes.md."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    QUARANTINED = 3
    FINDINGS = 4
    INTERRUPTED = 130


class TbesError(Exception):
    """One sentence that says what is wrong and what to do about it; ends the command with `exit_code`."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.UNEXPECTED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class UsageError(TbesError):
    """The caller asked for something that cannot be: a wrong option, path, file or statement."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.USAGE)
