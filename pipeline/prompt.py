"""The prompt of `tbes sql` on a terminal: statements up to `;`, history, completion, results as tables.

prompt_toolkit is the extra `prompt`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import SqlLexer

from pipeline import schema_text
from pipeline.completion import candidates
from pipeline.errors import TbesError
from pipeline.interruptible import Unending, forget_interrupts
from pipeline.reports.values import visible
from pipeline.sql import MissingFile, Result

HELP = """One SELECT, ended by ;  Tab completes, the arrows bring back earlier statements, Ctrl-C drops the line.
.tables          all tables and views
.schema NAME     columns of one, with type, meaning and unit
.help  .quit     this text; the end (or Ctrl-D)"""
SHOWN_ROWS = 1000
_LEAVE = frozenset({"exit", "quit", "exit;", "quit;", ".quit", ".exit", "\\q"})


class SqlCompleter(Completer):
    """Views, columns and keywords; and the prompt's own commands."""

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Called by prompt_toolkit while one types."""
        before = document.text_before_cursor
        if before.startswith("."):
            word = before.removeprefix(".schema ")
            names = (
                [relation.name for relation in schema_text.relations()]
                if before != word
                else [".tables", ".schema ", ".help", ".quit"]
            )
            for name in names:
                if name.startswith(word):
                    yield Completion(name, -len(word))
            return
        for found in candidates(schema_text.relations(), before, document.text_after_cursor):
            yield Completion(found.text, -found.replaces, display_meta=found.note)


def complete_statement(text: str) -> bool:
    """Whether Enter runs what was typed; if not, it begins a new line."""
    stripped = text.strip()
    return not stripped or stripped.endswith(";") or stripped.startswith(".") or stripped.lower() in _LEAVE


def converse(
    session: Any,
    show: Callable[[Result], None],
    say: Callable[[str], None],
    history: Path | None,
    again: str | None = None,
) -> str | None:
    """Ask and answer until the user ends it (None), or a file of the snapshot is gone.

    Then it returns the statement, to be given as `again` with a session on the newest snapshot.
    """
    prompt: PromptSession[str] = PromptSession(
        history=_history(history),
        completer=SqlCompleter(),
        lexer=PygmentsLexer(SqlLexer),
        multiline=True,
        key_bindings=_keys(),
        complete_while_typing=True,
        prompt_continuation="  ... ",
        mouse_support=False,
        enable_open_in_editor=True,
    )
    if again is not None:
        _answer(session, again, show, say)
    while True:
        try:
            text = prompt.prompt("tbes> ").strip()
        except KeyboardInterrupt:
            forget_interrupts()
            continue
        except EOFError:
            return None
        if text.lower() in _LEAVE:
            return None
        if text.startswith("."):
            _command(text.rstrip(";"), say)
        elif text.strip(";").strip() and not _answer(session, text, show, say, last=False):
            return text


def _answer(
    session: Any, text: str, show: Callable[[Result], None], say: Callable[[str], None], *, last: bool = True
) -> bool:
    """Run a statement and show the rows or why there are none; False if it needs a newer snapshot."""
    try:
        result = session.query(text)
        show(result)
    except MissingFile as error:
        if not last:
            say("The store has changed; its newest state is taken.")
            return False
        say(f"Error: {visible(str(error))}")
    except TbesError as error:
        say(f"Error: {visible(str(error))}")
    except Unending:
        raise
    except KeyboardInterrupt:
        forget_interrupts()
        say("Interrupted.")
    return True


def _command(text: str, say: Callable[[str], None]) -> None:
    name, _, argument = text.partition(" ")
    try:
        if name == ".tables":
            width = max(len(relation.name) for relation in schema_text.relations())
            for relation in schema_text.relations():
                say(f"{relation.name:<{width}}  {relation.meaning}")
        elif name == ".schema":
            say(schema_text.as_text(schema_text.find(argument.strip() or None)))
        else:
            say(HELP if name == ".help" else f"There is no command {visible(name)}.\n{HELP}")
    except TbesError as error:
        say(f"Error: {visible(str(error))}")


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @Condition
    def is_complete() -> bool:
        return complete_statement(get_app().current_buffer.document.text)

    @keys.add("enter", filter=is_complete)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    return keys


def _history(path: Path | None) -> History:
    """Statements may name people: the file is the user's alone. Without a folder to write it is forgotten."""
    if path is None:
        return InMemoryHistory()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
        if not os.access(path, os.W_OK):
            return InMemoryHistory()
    except OSError:
        return InMemoryHistory()
    with suppress(OSError):
        path.chmod(0o600)
    return FileHistory(str(path))
