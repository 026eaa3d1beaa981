"""Ctrl-C ends a statement of DuckDB, whatever DuckDB is doing.

DuckDB looks for Ctrl-C only between the tasks of the main thread. That thread waits without looking while the others
have all tasks, and within a function of SQL nobody looks. So statements run in a thread of their own, and the main
thread only waits for it: it hears Ctrl-C at once and tells DuckDB, which most statements heed.

What Python raises at Ctrl-C must not come while a library is loaded: some swallow it then, and the C++ ones abort the
process. It waits until that is done. It is remembered too, and no statement begins after it.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn, TypeVar

Result = TypeVar("Result")
Handler = Callable[[int, FrameType | None], object]
PATIENCE = 3.0
"""Seconds that a statement has to end once it was told to."""
_LOOK = 0.5
"""Windows hears Ctrl-C between two waits only."""
_unending = threading.Event()
_pressed: list[int] = []
"""Signals that nobody has answered yet. A list: what a handler of signals touches must have no lock."""


def remember_interrupts(until_now: Handler | None = None) -> None:
    """From now on Ctrl-C is remembered. Where it is ignored, or answered by others than `until_now`, that stays so."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) in (
        signal.default_int_handler,
        until_now or signal.default_int_handler,
    ):
        signal.signal(signal.SIGINT, _on_interrupt)


def forget_interrupts() -> None:
    """It was answered, and the process goes on."""
    _pressed.clear()


def _on_interrupt(number: int, frame: FrameType | None) -> None:
    _pressed.append(number)
    if _is_loading(frame):
        _thread.start_new_thread(_press_again, (number,))
        return
    raise KeyboardInterrupt


def _is_loading(frame: FrameType | None) -> bool:
    """Whether a frame is part of an import."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _press_again(number: int) -> None:
    time.sleep(0.02)
    _thread.interrupt_main(signal.Signals(number))


class Unending(KeyboardInterrupt):
    """The statement goes on in spite of Ctrl-C: nothing more can be asked of its connection."""


def heeding_interrupts(work: Callable[[], Result], interrupt: Callable[[], None]) -> Result:
    """What `work` returns or raises. On Ctrl-C `interrupt` is called until it has ended.

    Raises KeyboardInterrupt then, Unending if it has not ended.
    """
    if _pressed:
        raise KeyboardInterrupt
    if threading.current_thread() is not threading.main_thread():
        return work()
    ended = threading.Event()
    outcome: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001  raised again where it was asked for
            errors.append(error)
        finally:
            ended.set()

    try:
        threading.Thread(target=run, name="tbes-sql", daemon=True).start()
        while not ended.wait(_LOOK):
            pass
    except KeyboardInterrupt:
        _end(ended, interrupt)
        raise
    if errors:
        raise errors[0]
    return outcome[0]


def _end(ended: threading.Event, interrupt: Callable[[], None]) -> None:
    # Told between two steps of its work it may not hear it: it is told until it has ended.
    until = time.monotonic() + PATIENCE
    try:
        while True:
            interrupt()
            if ended.wait(0.05):
                return
            if time.monotonic() > until:
                break
    except KeyboardInterrupt:
        # Somebody has less patience.
        pass
    _unending.set()
    raise Unending from None


def is_unending() -> bool:
    """Whether a statement of this process goes on in spite of Ctrl-C."""
    return _unending.is_set()


def leave(code: int) -> NoReturn:
    """End the process; at once if a statement goes on, for which Python would wait at its end."""
    if is_unending():
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        os._exit(code)
    sys.exit(code)
