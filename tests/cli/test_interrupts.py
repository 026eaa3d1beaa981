"""Ctrl-C ends the command with exit code 130 and a line, from the first line of the program to its last."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from pipeline.store.store import Store
from tests.ingest.logtext import receive
from tests.ingest.place import Place
from tests.runaway import RUNAWAY, TELLS_ITS_STATEMENT

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Ctrl-C cannot be sent to a child alone there"
)
# what pip makes of the entry point; a test run in the background of a shell ignores SIGINT, and so would its children
_ENTRY = """
import signal, sys
signal.signal(signal.SIGINT, signal.{before})
from pipeline.start import main
{first}
sys.exit(main())
"""
_TELL = "print('up', flush=True)"
_TELL_AT_THE_END = """
import atexit, time
def last():
    print("up", flush=True)
    time.sleep(60)
atexit.register(last)
"""
_TELL_AND_BE_SLOW = """
import sys, time
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "pipeline.cli":
            try:
                print("up", flush=True)
                time.sleep(60)
            except KeyboardInterrupt:
                pass
sys.meta_path.insert(0, Slow())
"""
_TELL_AND_WAIT = _TELL + "; import time; time.sleep(60)"


def begun(first: str, *arguments: str, before: str = "default_int_handler") -> subprocess.Popen[str]:
    """`tbes` with arguments; it has said `up` when this returns."""
    child = subprocess.Popen(
        [sys.executable, "-c", _ENTRY.format(before=before, first=first), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert "up\n" in iter(child.stdout.readline, ""), child.communicate()
    return child


def ended(child: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """Its exit code after Ctrl-C, and the lines that it says."""
    child.send_signal(signal.SIGINT)
    try:
        _, errors = child.communicate(timeout=60)
    finally:
        child.kill()
    return child.returncode, [line for line in errors.splitlines() if line]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    place = Place(tmp_path_factory.mktemp("interrupts"))
    place.write("RECV.LOG", receive(range(3)))
    place.ingest()
    return place.store


def test_it_is_what_pip_installs() -> None:
    project = tomllib.loads(Path(__file__, "../../../pyproject.toml").resolve().read_text(encoding="utf-8"))
    assert project["project"]["scripts"] == {"tbes": "pipeline.start:main"}


@pytest.mark.parametrize("moment", [number * 0.01 for number in range(20)])
def test_ctrl_c_is_heeded_at_any_moment_of_the_imports(store: Store, moment: float) -> None:
    child = begun(_TELL, "sql", RUNAWAY, "--store", str(store.root))
    time.sleep(moment)
    code, lines = ended(child)
    assert (code, len(lines)) == (130, 1), lines
    assert lines[0].startswith("Interrupted.")


@pytest.mark.parametrize("first", [_TELL_AND_BE_SLOW, _TELL_AND_WAIT], ids=["while loading", "before that"])
def test_ctrl_c_before_the_program_is_loaded(first: str) -> None:
    """Some libraries swallow what Python raises then, and the program goes on."""
    assert ended(begun(first, "--help")) == (130, ["Interrupted."])


def test_the_program_itself_answers_from_then_on(store: Store) -> None:
    """It ends what it has begun, and says what was kept."""
    child = begun(TELLS_ITS_STATEMENT, "sql", RUNAWAY, "--store", str(store.root))
    time.sleep(0.5)
    assert ended(child) == (
        130,
        ["Interrupted. What was committed is kept; run it again to go on."],
    )


def test_nothing_is_loaded_before_it_is_heeded() -> None:
    """Each library is time in which Python answers with a traceback."""
    code = "import sys; had = set(sys.modules); import pipeline.start; print(*sorted(set(sys.modules) - had))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["pipeline", "pipeline.start"]


def test_ctrl_c_when_all_is_done() -> None:
    assert ended(begun(_TELL_AT_THE_END, "--version")) == (130, ["Interrupted."])


def test_where_it_is_ignored_it_stays_ignored(store: Store) -> None:
    """As in the background of a shell."""
    child = begun(_TELL, "report", "servers", "--store", str(store.root), before="SIG_IGN")
    for _ in range(10):
        child.send_signal(signal.SIGINT)
        time.sleep(0.02)
    _, errors = child.communicate(timeout=60)
    assert (child.returncode, errors) == (0, "")
