"""What the command `tbes` runs first: from its first line on Ctrl-C ends it with exit code 130 and one line.

Python itself answers Ctrl-C with a traceback, also while this program is loaded. So nothing is imported here, not even
`signal`, which takes 4 ms, before that is changed. `pipeline.cli` takes over when it runs, and hands back at its end.
"""

import _signal  # type: ignore[import-not-found]  # the part of `signal` that Python has loaded already
import os


def end_at_once(_number: int = 0, _frame: object = None) -> None:
    """End the process: nothing was begun yet, or all is done."""
    try:
        os.write(2, b"Interrupted.\n")
    finally:
        os._exit(130)


_HEEDED = _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler
"""Where Ctrl-C is ignored, as in the background of a shell, it stays so."""
if _HEEDED:
    _signal.signal(_signal.SIGINT, end_at_once)


def main() -> None:
    """The entry point of the command line."""
    try:
        from pipeline.cli import main as command

        command(until_now=end_at_once)
    except KeyboardInterrupt:
        # pressed once more while the first was answered
        end_at_once()
    finally:
        if _HEEDED:
            _signal.signal(_signal.SIGINT, end_at_once)
