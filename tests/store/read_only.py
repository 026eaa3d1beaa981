"""Run as `python -m tests.store.read_only HOW FOLDER ARGUMENTS`: tbes where a folder really cannot be written.

`rights` leaves root no more rights than others have (Linux); who is not root has none beyond the files' own. `mount` makes
the folder a read-only file system that this process alone sees (Linux, root).
"""

from __future__ import annotations

import ctypes
import os
import sys

_CAPABILITIES_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1 << 1
_CLONE_NEWNS = 0x20000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 0x20, 0x1000, 0x4000, 1 << 18


def obey_rights() -> None:
    """Root on Linux may write whatever the rights of a file say; not this process any more. It may read it yet."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_3, 0)
    # twice: effective, permitted, inheritable
    sets = (ctypes.c_uint32 * 6)()
    _must(libc.capget(header, sets))
    sets[0] &= ~_CAP_DAC_OVERRIDE
    sets[1] &= ~_CAP_DAC_OVERRIDE
    _must(libc.capset(header, sets))


def mount_read_only(folder: str) -> None:
    """Over itself, in a name space that goes with this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    path = os.fsencode(folder)
    _must(libc.unshare(_CLONE_NEWNS))
    _must(libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None))
    _must(libc.mount(path, path, None, _MS_BIND, None))
    _must(libc.mount(None, path, None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY, None))


def _must(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def main() -> None:
    """Deny, then run; with no arguments say whether it is denied now."""
    how, folder, *arguments = sys.argv[1:]
    if how == "mount":
        mount_read_only(folder)
    elif os.geteuid() == 0:
        obey_rights()
    if arguments:
        from pipeline.cli import main as tbes

        tbes(arguments)
    elif os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        sys.exit(f"{folder} can be written all the same")


if __name__ == "__main__":
    main()
