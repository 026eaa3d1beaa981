"""A statement means the same after it was made fit for the clients that cut scripts at every `;`."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.portable_sql import plain_text, portable
from pipeline.relations import literal

CONNECTION = duckdb.connect()
# The engine takes no NUL in a text, and a surrogate is no text.
TEXTS = st.text(
    st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
    | st.sampled_from(";'\"\\\n\r.-/*\x85\u2028")
)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_texts_stay_the_same(text: str) -> None:
    statement = portable(f"select -- a ; remark that's left out\n  {literal(text)} as \"a;b'c\", /* ; */ 1.5")
    assert CONNECTION.execute(statement).fetchall()[0][0] == text
    assert ";" not in statement.replace('"a;b\'c"', "")
    assert not any(line.startswith(".") for line in statement.splitlines())


def test_lines_that_a_shell_would_take_for_a_command() -> None:
    assert portable("select 1\n.5;\n") == "select 1\n .5"
    assert portable("select '\n.quit'") == r"select e'\x0A.quit'"


def test_comments_go_and_quotes_in_them_open_nothing() -> None:
    assert portable("select 1 -- it's\n, '--x' -- y") == "select 1\n, '--x'"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Recipients, joined with ;", "'Recipients, joined with semicolons'"),
        ("its code; null for none", "'its code, null for none'"),
        ("the server's\nname", "'the server''s name'"),
        ("a\x1b[31mb", "'a\ufffd[31mb'"),
    ],
)
def test_comment_texts(text: str, quoted: str) -> None:
    assert plain_text(text) == quoted
