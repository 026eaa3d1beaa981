"""`tbes sql` reads the live files of the store and nothing else, and changes nothing: by every door that DuckDB has."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import UsageError
from pipeline.reference.catalogue import Catalogue
from pipeline.sql import Session
from pipeline.store.store import Store
from tests.ingest.logtext import receive, send, tracking
from tests.ingest.place import Place
from tests.runaway import RUNAWAY, TELLS_ITS_STATEMENT

OWN = "contoso/EX01/TransportRoles/Logs"


class Target:
    """A store, secrets beside it, and a place that must stay empty. `{live}` is a live file of the store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        place = Place(root / "place")
        place.write(f"{OWN}/ProtocolLog/SmtpReceive/RECV2026112008-1.LOG", receive(range(3)))
        place.write(f"{OWN}/ProtocolLog/SmtpSend/SEND2026112008-1.LOG", send(range(3)))
        place.write(f"{OWN}/MessageTracking/MSGTRK2026112009-1.LOG", tracking(range(3)))
        place.ingest()
        self.store = Store(place.store.root)
        snapshot = next(found for found in self.store.snapshot() if found.name == "smtp_protocol")
        self.secrets = root / "secrets"
        self.secrets.mkdir()
        (self.secrets / "secret.csv").write_text("word\nPASSWORD\n")
        (self.secrets / "secret.json").write_text('{"word": "PASSWORD"}\n')
        pq.write_table(pa.table({"word": ["PASSWORD"]}), self.secrets / "secret.parquet")
        with duckdb.connect(str(self.secrets / "secret.duckdb")) as connection:
            connection.execute("create table secrets as select 'PASSWORD' as word")
        self.out = root / "out"
        self.out.mkdir()
        self.names = {
            "secret": str(self.secrets / "secret"),
            "secrets": str(self.secrets),
            "out": str(self.out / "x"),
            "live": str(snapshot.root / snapshot.parts[0].path),
            "store": str(self.store.root),
        }

    def text(self, statement: str) -> str:
        for name, value in self.names.items():
            statement = statement.replace("{" + name + "}", value)
        return statement

    def state(self) -> dict[str, str]:
        """Every file and what is in it."""
        return {
            str(path.relative_to(self.root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.root.rglob("*")
            if path.is_file()
        }


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    return Target(tmp_path_factory.mktemp("sql"))


@pytest.fixture(scope="module")
def session(target: Target) -> Iterator[Session]:
    with Session(target.store.snapshot(), Catalogue()) as opened:
        yield opened


READING = """
select * from read_csv('{secret}.csv')
select * from read_csv_auto('{secret}.csv')
select * from '{secret}.csv'
from "{secret}.csv"
select * from read_text('{secret}.csv')
select * from read_blob('{secret}.csv')
select * from read_json('{secret}.json')
select * from read_json_auto('{secret}.json')
select * from read_ndjson('{secret}.json')
select * from read_json_objects('{secret}.json')
select * from '{secret}.json'
select * from read_parquet('{secret}.parquet')
select * from parquet_scan(['{live}', '{secret}.parquet'])
select * from '{secret}.parquet'
select * from parquet_metadata('{secret}.parquet')
select * from parquet_schema('{secret}.parquet')
select * from parquet_kv_metadata('{secret}.parquet')
select * from parquet_file_metadata('{secret}.parquet')
select * from parquet_bloom_probe('{secret}.parquet', 'word', 'PASSWORD')
select * from read_duckdb('{secret}.duckdb')
select * from '{secret}.duckdb'
select * from sniff_csv('{secret}.csv')
select * from glob('{secrets}/*')
select * from glob('/etc/*')
select * from glob('{store}/**')
select * from read_text('{store}/smtp_protocol/_delta_log/00000000000000000000.json')
select * from read_parquet('{store}/smtp_protocol/**/*.parquet')
select * from read_text('{live}/../../../../../secrets/secret.csv')
select * from read_text('file://{secret}.csv')
select * from read_text('/proc/self/environ')
select * from read_csv('/dev/stdin')
select * from query('from read_text(''{secret}.csv'')')
from query_table('{secret}.csv')
from json_execute_serialized_sql(json_serialize_sql('select * from read_text(''{secret}.csv'')'))
select (select content from read_text('{secret}.csv'))
select * from smtp_protocol where data in (select content from read_text('{secret}.csv'))
select * from smtp_protocol, lateral (select * from read_text('{secret}.csv'))
with x as materialized (from read_text('{secret}.csv')) select * from x
with recursive x as (select 'a' as a union all select content from read_text('{secret}.csv')) from x
select 1 union all select content from read_text('{secret}.csv')
describe select * from read_csv('{secret}.csv')
summarize '{secret}.csv'
explain select * from read_csv('{secret}.csv')
explain analyze select * from read_csv('{secret}.csv')
/* select 1 */ from read_text('{secret}.csv')
select * from delta_scan('{store}/smtp_protocol')
select * from sqlite_scan('{secret}.duckdb', 'secrets')
select * from read_xlsx('{secret}.csv')
select * from duckdb_secrets()
select * from which_secret('s3://a/b', 's3')
select getenv('HOME')
select * from 'https://example.com/x.csv'
select * from read_parquet('s3://bucket/x.parquet')
select * from read_text('hf://datasets/a/b')
"""
WRITING = """
copy (select 1) to '{out}'
copy (select 1) to '{live}' (format parquet, use_tmp_file false)
copy smtp_protocol to '{out}'
copy parameters from '{secret}.csv'
with x as (copy (select 1) to '{out}') select * from x
with x as (copy (select 1) to '{live}' (format parquet, use_tmp_file false)) select * from x
with x as materialized (copy (select 1) to '{live}' (format parquet, use_tmp_file false)) select 1
select * from (with x as (copy (select 1) to '{live}' (format parquet, use_tmp_file false)) from x)
with y as (select 1), x as (copy (from y) to '{live}' (format parquet, use_tmp_file false)) from y
explain analyze copy (select 1) to '{live}' (format parquet, use_tmp_file false)
explain (analyze, format json) copy (select 1) to '{live}' (format parquet, use_tmp_file false)
explain analyze with x as (copy (select 1) to '{live}' (format parquet, use_tmp_file false)) from x
explain /* x */ analyze copy (select 1) to '{live}' (format parquet, use_tmp_file false)
/* /* */ explain select 1 -- */ explain analyze copy (select 1) to '{live}' (format parquet, use_tmp_file false)
explain copy (select 1) to '{out}'
from json_execute_serialized_sql(json_serialize_sql('with x as (copy (select 1) to ''{live}'' (format parquet, use_tmp_file false)) from x'))
select * from (from system.main.json_execute_serialized_sql(json_serialize_sql('select 1')))
from query('with x as (copy (select 1) to ''{live}'' (format parquet, use_tmp_file false)) from x')
pragma json_execute_serialized_sql('x')
export database '{out}'
import database '{out}'
attach '{out}'
attach '{secret}.duckdb' as s
attach '{secret}.duckdb' as s (read_only)
attach '{live}' as s
detach memory
use memory
install httpfs
force install httpfs
install httpfs from '{out}'
load httpfs
load '{out}.duckdb_extension'
update extensions
pragma database_list
pragma enable_profiling
pragma add_parquet_key('a', '0123456789112345')
set allowed_paths = []
set enable_external_access = true
set temp_directory = '{out}'
set global lock_configuration = false
reset lock_configuration
set variable x = 1
set schema = 'main'
call pragma_version()
call enable_logging()
create secret (type s3, key_id 'a', secret 'b')
create persistent secret (type s3)
drop secret a
create table x as select 1
create or replace table parameters as select 1
create temp table x as select 1
create view x as select * from read_text('{secret}.csv')
create or replace view smtp_protocol as select 1
create macro x() as table select * from read_text('{secret}.csv')
create schema x
create sequence x
create type x as enum ('a')
create index x on parameters (server)
insert into parameters select * from parameters
delete from parameters
update parameters set server = 'x'
truncate parameters
merge into parameters using (select 1) s on true when matched then delete
drop table parameters
drop view smtp_protocol
alter table parameters add column x int
comment on table parameters is 'x'
with x as (insert into parameters select * from parameters returning *) from x
with x as (delete from parameters returning *) from x
with x as (update parameters set server = 'x' returning *) from x
with x as (truncate parameters) from x
select (with x as (delete from parameters returning server) select server from x)
explain analyze drop table parameters
explain analyze delete from parameters
explain analyze create table x as select 1
prepare x as select 1
prepare x as copy (select 1) to '{out}'
execute x
deallocate x
begin
commit
rollback
checkpoint
force checkpoint
vacuum
analyze
select * from checkpoint()
select * from force_checkpoint()
select * from enable_logging()
select 1; select 2
select 1; copy (select 1) to '{out}'
;
"""


def statements(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize("statement", statements(READING))
def test_no_other_file_is_read(session: Session, target: Target, statement: str) -> None:
    with pytest.raises(UsageError) as error:
        session.query(target.text(statement))
    assert "PASSWORD" not in str(error.value)


@pytest.mark.parametrize("statement", statements(WRITING))
def test_nothing_is_written_loaded_or_changed(session: Session, target: Target, statement: str) -> None:
    before = target.state()
    with pytest.raises(UsageError):
        session.query(target.text(statement))
    assert target.state() == before
    assert session.query("select count(*) from parameters").rows == [(1,)]
    assert session.query("select count(*) from smtp_protocol").rows == [(6,)]


@pytest.mark.parametrize(
    "statement",
    [
        "select * from smtp_protocol",
        "from message_tracking",
        "select count(*) from servers",
        "with x as (select * from smtp_protocol) select count(*) from x",
        "with recursive x as (select 1 as n union all select n + 1 from x where n < 5) from x",
        "select * from range(3), unnest([1, 2])",
        "select 1 union select 2 except select 3",
        "(select 1)",
        "values (1), (2)",
        "table parameters",
        "show tables",
        "describe servers",
        "summarize parameters",
        "explain select 1",
        "explain analyze select count(*) from smtp_protocol",
        "explain (format json) (select 1)",
        "explain (select 1)",
        "select 'copy (select 1) to ''x''; drop table x' as text -- copy",
        'select "copy" from (select 1 as "copy")',
        "select * from duckdb_columns() where table_name = 'servers'",
        "select * from information_schema.tables",
        "from (values (1, 'a'), (2, 'b')) t(n, c) pivot (max(n) for c in ('a', 'b'))",
        "select * from parameters a asof join parameters b on a.as_of >= b.as_of",
        "select list_transform([1], lambda x: x + 1), strftime(as_of, '%Y') from parameters",
        "select * from read_parquet('{live}')",
        "select regexp_split_to_array('a b', ' ')",
    ],
)
def test_what_only_reads_runs(session: Session, target: Target, statement: str) -> None:
    session.query(target.text(statement))


def test_a_variable_of_the_program_is_no_table(session: Session) -> None:
    secret_table = pa.table({"word": ["PASSWORD"]})
    assert secret_table.num_rows == 1
    with pytest.raises(UsageError, match="secret_table"):
        session.query("from secret_table")


def test_every_table_function_of_this_duckdb_is_known_or_refused(session: Session, target: Target) -> None:
    """A newer DuckDB may bring new doors: what is not known to read only stays shut."""
    from pipeline.statement_guard import _TABLE_FUNCTIONS

    with duckdb.connect() as connection:
        rows = connection.execute(
            "select distinct function_name from duckdb_functions() where function_type in ('table', 'table_macro')"
        ).fetchall()
    unknown = sorted({name for (name,) in rows} - _TABLE_FUNCTIONS)
    assert {"read_text", "glob", "json_execute_serialized_sql"} <= set(unknown)
    for name in unknown:
        with pytest.raises(UsageError, match=r"does not run here|Error"):
            session.query(f"select * from {name}()")


def test_a_statement_of_great_depth_is_answered_or_refused(session: Session) -> None:
    for statement in (
        "select " + "(" * 5_000 + "1" + ")" * 5_000,
        "select " + "1 + " * 20_000 + "1",
        "select * from " + "(select * from " * 500 + "parameters" + ")" * 500,
        "select '" + "x" * 5_000_000 + "'",
        "\x00",
        "select '\x00'",
        "select \ud800",
    ):
        try:
            session.query(statement)
        except UsageError as error:
            assert str(error)


def test_nothing_is_fetched(session: Session) -> None:
    """Nothing connects to a server that would hear it."""
    heard: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        port = server.getsockname()[1]

        def listen() -> None:
            try:
                heard.append(server.accept())
            except OSError:
                return

        ear = threading.Thread(target=listen)
        ear.start()
        for scheme in ("http", "https", "s3", "hf"):
            with pytest.raises(UsageError):
                session.query(f"select * from read_csv('{scheme}://127.0.0.1:{port}/x.csv')")
        ear.join()
    assert not heard


def test_unsafe_lifts_all_this(target: Target) -> None:
    with Session(target.store.snapshot(), Catalogue(), unsafe=True) as free:
        assert free.query(target.text("select word from read_csv('{secret}.csv')")).rows == [("PASSWORD",)]
        free.query(target.text("copy (select 1) to '{out}-unsafe'"))
    assert (target.out / "x-unsafe").exists()
    (target.out / "x-unsafe").unlink()


def test_what_does_not_fit_into_memory_is_spilled_to_a_folder_that_goes(
    target: Target, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipeline.sql.MEMORY", "60MB")
    with Session(target.store.snapshot(), Catalogue()) as small:
        folder = Path(str(small.query("select current_setting('temp_directory')").rows[0][0]))
        assert folder.is_dir() and folder.parent != tmp_path
        if os.name == "posix":
            assert folder.stat().st_mode & 0o077 == 0, "for the owner only"
        query = (
            "select count(*) from (select distinct n::varchar || 'xxxxxxxxxxxxxxxx' from range(2000000) t(n))"
        )
        assert small.query(query).rows == [(2_000_000,)]
    assert not folder.exists()
    assert not list(tmp_path.iterdir())


def test_a_machine_without_a_temporary_folder_has_its_reports(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> None:
        raise FileNotFoundError("no usable temporary directory")

    monkeypatch.setattr("tempfile.TemporaryDirectory", none)
    with Session(target.store.snapshot(), Catalogue()) as session:
        assert session.report("servers").rows


def test_half_of_the_memory_is_left_to_others(session: Session) -> None:
    from pipeline.sql import MEMORY

    assert MEMORY == "50%"


NO_SIGNALS = pytest.mark.skipif(
    sys.platform == "win32", reason="Ctrl-C cannot be sent to a child alone there"
)
# a test run in the background of a shell ignores SIGINT, and so would its children
_HEED = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from pipeline.cli import main
"""
_TELLS_ITS_START = """
from pipeline import cli
plain = cli._utf8_output
def first():
    print("up", flush=True)
    plain()
cli._utf8_output = first
main()
"""
_HEEDS_NOTHING = """
import hashlib
from pipeline import sql
def never(self, statement):
    print("up", flush=True)
    return sql.heeding_interrupts(lambda: hashlib.pbkdf2_hmac("sha512", b"x", b"x", 2**31 - 1), lambda: None)
sql.Session._fetch = never
main()
"""


def begun(target: Target, code: str) -> subprocess.Popen[str]:
    """`tbes sql` with a statement that would run for hours; it has said `up` when this returns."""
    child = subprocess.Popen(
        [sys.executable, "-c", _HEED + code, "sql", RUNAWAY, "--store", str(target.store.root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n", child.communicate()
    return child


def must_end(child: subprocess.Popen[str]) -> None:
    """Ctrl-C ends it, with the exit code and the words for that."""
    assert child.poll() is None, child.communicate()
    child.send_signal(signal.SIGINT)
    try:
        _, errors = child.communicate(timeout=60)
    finally:
        child.kill()
    assert (child.returncode, "Interrupted" in errors, "Traceback" in errors) == (130, True, False), errors


@NO_SIGNALS
def test_a_runaway_query_is_interrupted(target: Target) -> None:
    """Several at once: DuckDB's main thread has no task then, and does not look for Ctrl-C itself."""
    children = [begun(target, TELLS_ITS_STATEMENT + "main()") for _ in range(4)]
    time.sleep(2)
    for child in children:
        must_end(child)


@NO_SIGNALS
def test_ctrl_c_is_heeded_at_any_moment_of_the_start(target: Target) -> None:
    """Libraries that are loaded then swallow it, or abort."""
    for moment in range(16):
        child = begun(target, _TELLS_ITS_START)
        time.sleep(moment * 0.08)
        must_end(child)


@NO_SIGNALS
def test_a_statement_that_heeds_nothing_ends_with_the_process(target: Target) -> None:
    child = begun(target, _HEEDS_NOTHING)
    time.sleep(0.5)
    must_end(child)


@NO_SIGNALS
def test_a_session_goes_on_after_ctrl_c(target: Target) -> None:
    """As the prompt needs it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with Session(target.store.snapshot(), Catalogue()) as session:
            timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                session.query(RUNAWAY)
            timer.join()
            assert session.query("select count(*) from smtp_protocol").rows == [(6,)]
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("how", ["argument", "file", "stdin"])
def test_the_command_refuses_with_one_sentence(target: Target, tmp_path: Path, how: str) -> None:
    statement = target.text("with x as (copy (select 1) to '{live}' (use_tmp_file false)) from x")
    before = target.state()
    file = tmp_path / "query.sql"
    file.write_text(statement, encoding="utf-8")
    arguments = {"argument": [statement], "file": ["--file", str(file)], "stdin": []}[how]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from pipeline.cli import main; main()",
            "sql",
            *arguments,
            "--store",
            str(target.store.root),
        ],
        input=statement if how == "stdin" else "",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, "the store is read-only" in done.stderr) == (2, True), done.stderr
    assert target.state() == before


def test_the_prompt_has_no_dot_commands_that_read_or_write() -> None:
    pytest.importorskip("prompt_toolkit", reason="the prompt is an extra")
    from pipeline import prompt

    commands = [line.split()[0] for line in prompt.HELP.splitlines() if line.startswith(".")]
    assert commands == [".tables", ".schema", ".help"]
