"""The prompt: keys in, rows and sentences out; and once in a real terminal."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from pipeline import prompt
from pipeline.errors import UsageError
from pipeline.sql import MissingFile, Result
from pipeline.store.store import Store
from tests.connect.conftest import ROOT


class Answers:
    """Stands for a session: remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gone = 0

    def query(self, sql: str) -> Result:
        self.asked.append(sql)
        if "wrong" in sql:
            raise UsageError("There is no wrong\x1b[31m")
        if "slow" in sql:
            raise KeyboardInterrupt
        if "gone" in sql and self.gone:
            self.gone -= 1
            raise MissingFile("part-1 is gone")
        return Result(["x"], ["INTEGER"], [(len(self.asked),)])


Talk = Callable[..., tuple[str | None, list[Result], list[str]]]


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):

        def run(
            answers: Answers, typed: str, again: str | None = None
        ) -> tuple[str | None, list[Result], list[str]]:
            keys.send_text(typed)
            shown: list[Result] = []
            said: list[str] = []
            left = prompt.converse(answers, shown.append, said.append, tmp_path / "tbes" / "history", again)
            return left, shown, said

        yield run


def test_several_lines_up_to_the_semicolon(talk: Talk) -> None:
    answers = Answers()
    left, shown, said = talk(answers, "select 1\rfrom exposure;\r\r\x04")
    assert answers.asked == ["select 1\nfrom exposure;"]
    assert (left, len(shown), said) == (None, 1, [])


def test_an_error_is_one_sentence_and_the_prompt_goes_on(talk: Talk) -> None:
    answers = Answers()
    _, shown, said = talk(answers, "wrong;\rslow;\rselect 2;\rquit\r")
    assert said == [r"Error: There is no wrong\u{001b}[31m", "Interrupted."]
    assert len(shown) == 1


def test_control_c_drops_the_line(talk: Talk) -> None:
    answers = Answers()
    talk(answers, "select nonsense\x03select 1;\r\x04")
    assert answers.asked == ["select 1;"]


def test_history_is_kept_for_the_user_alone(talk: Talk, tmp_path: Path) -> None:
    answers = Answers()
    talk(answers, "select 1;\r.quit\r")
    path = tmp_path / "tbes" / "history"
    assert "+select 1;" in path.read_text(encoding="utf-8")
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
    # the history is read by a thread: the arrow must not come before it
    kept = list(prompt._history(path).load_history_strings())
    assert kept == [".quit", "select 1;"]


def test_a_folder_that_cannot_be_written_only_costs_the_history(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert list(prompt._history(tmp_path / "file" / "history").load_history_strings()) == []
    assert list(prompt._history(None).load_history_strings()) == []


def test_a_vanished_file_asks_for_a_new_snapshot_once(talk: Talk) -> None:
    answers = Answers()
    answers.gone = 2
    left, _, said = talk(answers, "gone;\r")
    assert (left, said) == ("gone;", ["The store has changed; its newest state is taken."])
    left, shown, said = talk(answers, "\x04", again="gone;")
    assert (left, shown, said) == (None, [], ["Error: part-1 is gone"])


def test_its_own_commands(talk: Talk) -> None:
    answers = Answers()
    _, _, said = talk(answers, ".schema ref_stages\r.schema zzz\r.tables;\r.help\r.what\r\x04")
    assert answers.asked == []
    assert said[0].startswith("ref_stages\n")
    assert said[1].startswith("Error: There is no table or view 'zzz'")
    assert any(line.startswith("exposure ") for line in said)
    assert said[-2] == prompt.HELP
    assert said[-1].startswith("There is no command .what")


@pytest.mark.parametrize(
    ("typed", "completed"),
    [("select * from bounced", "bounced_messages"), (".sch", ".schema "), (".schema ref_stag", "ref_stages")],
)
def test_completer(typed: str, completed: str) -> None:
    found = list(prompt.SqlCompleter().get_completions(Document(typed), prompt.CompleteEvent()))
    assert [completion.text for completion in found] == [completed]
    assert typed[: len(typed) + found[0].start_position] + completed in (
        "select * from bounced_messages",
        ".schema ",
        ".schema ref_stages",
    )


@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal is a thing of POSIX")
def test_in_a_terminal(store: Store, home: dict[str, str]) -> None:
    import pty

    process, terminal = pty.fork()
    if process == 0:
        os.environ.clear()
        os.environ.update(home, TERM="xterm-256color", COLUMNS="100", LINES="30", TBES_STORE=str(store.root))
        code = "from pipeline.cli import main; main()"
        os.execv(sys.executable, [sys.executable, "-c", code, "sql", "--as-of", "2026-11-24T18:00Z"])
    try:
        screen = Screen(terminal)
        screen.wait_for("tbes>")
        screen.send("select organisation, state from exposu")
        # the menu is up, so that Tab takes its first line
        screen.wait_for("exposure_facts")
        screen.send("\t\rwhere rank = 1;\r")
        screen.wait_for("fully blocked")
        screen.send("selec 1;\r")
        screen.wait_for("Error: ")
        assert "Traceback" not in screen.text
        screen.wait_for("tbes>", screen.text.rindex("Error: "))
        screen.send("\x04")
        screen.wait_for_end()
        _, status = os.waitpid(process, 0)
        process = 0
        assert os.waitstatus_to_exitcode(status) == 0
    finally:
        if process:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        os.close(terminal)
    history = Path(home["XDG_CONFIG_HOME"], "tbes", "history")
    if sys.platform != "darwin":
        assert "+where rank = 1;" in history.read_text(encoding="utf-8")


class Screen:
    """The other side of a pseudo-terminal: all that was written so far, without its colours."""

    def __init__(self, terminal: int) -> None:
        self.terminal = terminal
        self.text = ""

    def send(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def wait_for(self, words: str, behind: int = 0) -> None:
        """Read on until the words come; fails after half a minute."""
        end = time.monotonic() + 30
        while words not in self.text[behind:]:
            assert time.monotonic() < end, f"{words!r} did not come: {self.text[-2000:]}"
            assert self.read(), f"it ended: {self.text[-2000:]}"

    def wait_for_end(self) -> None:
        """Read on until the other side is gone; fails after half a minute."""
        end = time.monotonic() + 30
        while self.read():
            assert time.monotonic() < end, f"it did not end: {self.text[-2000:]}"

    def read(self) -> bool:
        """Take what has come; False at the end."""
        if not select.select([self.terminal], [], [], 0.1)[0]:
            return True
        try:
            new = os.read(self.terminal, 65536).decode("utf-8", "replace")
        except OSError:  # Linux says so that the other side is gone
            return False
        if "\x1b[6n" in new:
            # prompt_toolkit asks where the cursor is
            self.send("\x1b[1;1R")
        self.text += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", new)
        return bool(new)


def test_off_a_terminal_nothing_has_changed(home: dict[str, str], store: Store) -> None:
    import subprocess

    done = subprocess.run(
        [sys.executable, "-c", "from pipeline.cli import main; main()", "sql"],
        input="select 40 + 2 as x",
        text=True,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        cwd=ROOT,
        env={**home, "TBES_STORE": str(store.root)},
    )
    assert (done.stdout, done.stderr, done.returncode) == ("x\n42\n", "", 0)
