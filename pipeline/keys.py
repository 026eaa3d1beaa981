"""The key of the pseudonyms: a file that only its owner reads, kept outside the store.

A key is never an argument, which other users of a machine can see, nor an environment variable; nothing of it
is stored beside the data. Who loses it cannot add to the store any more; who has it can test guesses.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from pipeline.errors import UsageError

SHORTEST = 32
LONGEST = 4096
_BOM = b"\xef\xbb\xbf"


def read_key(path: Path) -> bytes:
    """The key in a file: its bytes without white space at the ends. Raises UsageError if it cannot serve."""
    make = f"make one with: tbes new-key {path}"
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"There is no key file {path}: {make}") from error
    except OSError as error:
        raise UsageError(f"The key file {path} cannot be read: {error.strerror}") from error
    key = content.removeprefix(_BOM).strip()
    if not key:
        raise UsageError(f"The key file {path} is empty: remove it and {make}")
    if len(key) < SHORTEST:
        raise UsageError(
            f"The key in {path} has {len(key)} bytes, fewer than {SHORTEST}: it could be guessed. "
            "Make one with: tbes new-key FILE"
        )
    if len(key) > LONGEST:
        raise UsageError(f"{path} is no key file: it has more than {LONGEST} bytes")
    return key


def new_key(path: Path) -> None:
    """Write a fresh key of 256 bits, readable by the owner only. Raises UsageError rather than replace a file."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise UsageError(
            f"{path} is there already and is not replaced: a store under its key could never be added to again"
        ) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_hex(32).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def others_can_read(path: Path) -> bool:
    """Whether other users can read the file by its POSIX mode; on Windows its folder's permissions decide."""
    return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
