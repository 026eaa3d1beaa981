"""The generator's output is what Exchange would write, and its truth is what stands in it."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests.generator import Generated, check, generate, write_bulk
from tests.generator.bulk import PLACES, Kind
from tests.generator.enforcement import FixedWindows, Ladder, Retries, Verdict
from tests.generator.lines import cell, listed, padded
from tests.generator.truth import OrganisationTruth

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_logs"
WORDS = "Connecting Exchange server version is out-of-date; connection to Exchange Online "


@pytest.fixture(scope="module")
def generated() -> dict[str, Generated]:
    """The six organisations."""
    return generate()


def logs(made: Generated) -> Iterator[tuple[str, bytes]]:
    """Every log, archives opened, by the path that its truth has."""
    for path, content in made.files.items():
        if path.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for name in archive.namelist():
                    yield f"{path}!{name}", archive.read(name)
        else:
            yield path, gzip.decompress(content) if path.endswith(".gz") else content


def exchange_rows(made: Generated) -> Iterator[tuple[str, dict[str, str]]]:
    """Every row of an Exchange log by `#Fields`, under strict CSV; damaged lines are left out."""
    truth = {log.path: log for log in made.truth.files}
    for path, content in logs(made):
        if not truth[path].log_type:
            continue
        fields: list[str] = []
        lines = content.decode("utf-8-sig").split("\r\n")
        assert bool(truth[path].unfinished) == bool(lines.pop()), path
        for text in lines:
            if text.startswith("#"):
                if text.startswith("#Fields: "):
                    fields = text.removeprefix("#Fields: ").split(",")
                continue
            if truth[path].damaged and text.count('"') % 2:
                continue
            (cells,) = csv.reader([text], strict=True)
            assert len(cells) == len(fields), (path, text)
            assert ",".join(map(cell, cells)) == text, "quoted only where needed"
            yield path, dict(zip(fields, cells, strict=True))


def test_every_row_has_its_columns_under_strict_csv(generated: dict[str, Generated]) -> None:
    for made in generated.values():
        assert sum(1 for _ in exchange_rows(made)) == sum(
            log.rows for log in made.truth.files if log.log_type
        )


def test_columns_and_versions_of_each_generation(generated: dict[str, Generated]) -> None:
    expected = {
        "alderbrook": (30, {"15.02.2562.056"}),
        "birchwood": (30, {"15.01.2507.059", "15.01.2507.077"}),
        "cedarholt": (30, {"15.02.1748.036"}),
        "dunmore": (26, {"14.0.0.0"}),
        "elmsford": (27, {"15.00.1497.048"}),
        "foxglove": (30, {"15.02.1748.055"}),
    }
    for slug, made in generated.items():
        versions, columns = set(), set()
        for path, content in logs(made):
            if "MSGTRK" not in path.rpartition("/")[2]:
                continue
            text = content.decode("utf-8-sig")
            versions |= set(re.findall(r"^#Version: (.+)\r$", text, re.M))
            columns |= {found.count(",") + 1 for found in re.findall(r"^#Fields: (.+)\r$", text, re.M)}
        assert (columns, versions) == ({expected[slug][0]}, expected[slug][1])


def test_file_truth_counts_every_line(generated: dict[str, Generated]) -> None:
    for made in generated.values():
        found = dict(logs(made))
        assert set(found) == {log.path for log in made.truth.files}
        for log in made.truth.files:
            text = found[log.path].decode("utf-8-sig")
            assert text.count("\n") + log.unfinished == log.header + log.rows + log.damaged + log.unfinished
            assert text.count("\n") == text.count("\r\n") == text.count("\r")
            assert sum(1 for line in text.split("\r\n") if line.startswith("#")) == log.header
            assert text.endswith("\r\n") != bool(log.unfinished)


def test_sessions_are_numbered_without_gaps(generated: dict[str, Generated]) -> None:
    for made in generated.values():
        sessions: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
        for path, row in exchange_rows(made):
            if "session-id" in row:
                key = (path.rpartition("/")[0], row["session-id"])
                sessions[key].append((row["date-time"], int(row["sequence-number"])))
        for rows in sessions.values():
            assert [number for _, number in rows] == list(range(len(rows)))
            assert rows == sorted(rows)


def test_times_run_forward_in_each_file_and_fit_its_name(generated: dict[str, Generated]) -> None:
    for made in generated.values():
        last: dict[str, str] = {}
        for path, row in exchange_rows(made):
            assert last.get(path, "") <= row["date-time"]
            last[path] = row["date-time"]
            period = re.sub(r"[-T:]", "", row["date-time"])[:10]
            name = re.search(r"(\d{8,10})-1\.LOG", path)
            assert name is not None and period.startswith(name[1])


def _stands(made: Generated, reply: str, where: str) -> int:
    count = 0
    for path, row in exchange_rows(made):
        tracking = where.startswith("tracking ")
        if tracking != ("event-id" in row):
            continue
        if tracking:
            event = where.removeprefix("tracking ")
            cells = {
                "DSN": ("message-info",),
                "DEFER": ("recipient-status", "source-context"),
                "FAIL": ("recipient-status",),
            }
            written = (
                reply.replace("'", "''") if event != "DSN" and reply not in row["source-context"] else reply
            )
            hit = row["event-id"] == event and any(written in row[name] for name in cells[event])
        else:
            service = "FrontEnd" if where.startswith("front-end") else "ProtocolLog"
            folder = "SmtpReceive" if where.endswith("receive") else "SmtpSend"
            event = ">" if where.endswith("receive") else "<"
            hit = (
                f"{service}/" in path
                and f"/{folder}/" in path
                and row["event"] == event
                and row["data"] == reply
            )
            if where == "hub send":
                hit = hit and "/Hub/" in path
        count += hit
    return count


def test_each_refusal_stands_once_in_every_log_that_the_truth_names(generated: dict[str, Generated]) -> None:
    for made in generated.values():
        for message in made.truth.messages:
            for refusal in message.refusals:
                for where in refusal.stands_in:
                    reply = refusal.reply if where == "front-end send" else refusal.seen_by_hub
                    assert _stands(made, reply, where) == 1, (where, reply)


def test_no_other_reply_row_is_a_refusal_of_the_enforcement(generated: dict[str, Generated]) -> None:
    for made in generated.values():
        rows = sum(
            1
            for _, row in exchange_rows(made)
            if any(
                WORDS in row.get(name, "")
                for name in ("data", "recipient-status", "source-context", "message-info")
            )
        )
        lines = sum(
            len(refusal.stands_in)
            for message in made.truth.messages
            for refusal in message.refusals
            if refusal.action != "other"
        )
        assert rows == lines


def test_acceptances_stand_in_tracking(generated: dict[str, Generated]) -> None:
    for made in generated.values():
        sent = [
            row["message-id"]
            for _, row in exchange_rows(made)
            if row.get("event-id") in ("SEND", "SENDEXTERNAL")
            and row["server-hostname"].endswith(".outlook.com")
        ]
        online = {m.message_id for m in made.truth.messages if m.next_hop.endswith(".outlook.com")}
        accepted = sorted(
            m.message_id for m in made.truth.messages if m.outcome == "accepted" and m.message_id in online
        )
        assert sorted(sent) == accepted


def test_refusals_follow_windows_and_retries(generated: dict[str, Generated]) -> None:
    windows = {
        "cedarholt": FixedWindows(10, 0, 12),
        "dunmore": FixedWindows(0, 60),
        "elmsford": FixedWindows(30, 5, 20, 50),
    }
    for slug, made in generated.items():
        for message in made.truth.messages:
            times = [refusal.true_time for refusal in message.refusals]
            for refusal in message.refusals:
                if refusal.action != "other":
                    assert windows[slug].verdict(refusal.true_time) == Verdict(
                        refusal.action, refusal.minutes or 0
                    )
            retries = Retries(message_interval=timedelta(minutes=15)) if slug == "elmsford" else Retries()
            for number, (first, second) in enumerate(pairwise(times), start=1):
                assert timedelta(0) < second - first - retries.after(number) < timedelta(seconds=5)
            assert message.first_offered is not None and message.first_offered > message.received


def test_first_detections_fit_the_stages(generated: dict[str, Generated]) -> None:
    for made in generated.values():
        truth = made.truth
        if truth.first_detected is None:
            assert not truth.refusals
            continue
        for time in (datetime(2026, 11, 22, 11, tzinfo=UTC), datetime(2026, 11, 24, 18, tzinfo=UTC)):
            stage = Ladder(truth.first_detected).stage(time)
            assert stage is not None
            assert (stage.number, stage.throttle, stage.block) == (truth.stage, truth.throttle, truth.block)


def test_builds_exist(generated: dict[str, Generated]) -> None:
    with (ROOT / "pipeline" / "reference" / "exchange_builds.csv").open(
        encoding="utf-8", newline=""
    ) as handle:
        known = {next(iter(row)) for row in csv.reader(handle)}
    builds = {build.build for made in generated.values() for build in made.truth.builds}
    assert builds - {""} <= known


def test_nothing_but_invented_names_and_documentation_addresses(generated: dict[str, Generated]) -> None:
    allowed = re.compile(r"10\.|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|154\.7\.230\.12$")
    for made in generated.values():
        for _, content in logs(made):
            text = content.decode("utf-8-sig")
            for address in re.findall(r"(?<![\w.])(?<!sig=)(\d{1,3}(?:\.\d{1,3}){3})(?![\w.]*\d)", text):
                if not re.match(r"1[45]\.0\.0\.0$", address):
                    assert allowed.match(address), address
            for domain in re.findall(r"@([\w.-]+)", text):
                name = domain.rstrip(".").lower()
                assert name.endswith((".example", "example.mail.onmicrosoft.com")) or name == "scanner", (
                    domain
                )


def test_same_seed_same_bytes_other_seed_other_bytes(generated: dict[str, Generated]) -> None:
    again, other = generate(), generate(7)
    for slug, made in generated.items():
        assert made == again[slug]
        assert made.files.keys() == other[slug].files.keys() and made.files != other[slug].files


def test_sample_logs_are_what_the_generator_writes() -> None:
    assert check(SAMPLES) == []
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 600_000


def test_check_names_each_difference(tmp_path: Path, generated: dict[str, Generated]) -> None:
    paths = sorted(path for made in generated.values() for path in made.files)
    for made in generated.values():
        for path, content in made.files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(content)
    assert check(tmp_path) == []
    (tmp_path / paths[0]).write_bytes(b"#")
    (tmp_path / paths[1]).unlink()
    (tmp_path / "stray.LOG").write_bytes(b"")
    broken = next(path for path in paths if path.endswith(".zip"))
    (tmp_path / broken).write_bytes(b"PK")
    assert check(tmp_path) == sorted(
        [f"differs: {paths[0]}", f"missing: {paths[1]}", "not generated: stray.LOG", f"differs: {broken}"]
    )


def _figures(truth: OrganisationTruth) -> list[int]:
    return [
        len(truth.handed_over),
        len(truth.accepted),
        len(truth.delayed),
        len(truth.bounced),
        len(truth.pending),
        truth.refusals,
        len(truth.undelivered_in_silence),
        len(truth.other_refused),
    ]


def test_readme_states_the_figures(generated: dict[str, Generated]) -> None:
    text = (SAMPLES / "README.md").read_text(encoding="utf-8")
    table = {
        cells[0]: [int(number) for number in cells[1:]]
        for cells in (line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| "))
        if len(cells) == 9 and cells[1].isdigit()
    }
    assert table == {slug: _figures(made.truth) for slug, made in generated.items()}


def test_ladder_stands_still_in_a_pause() -> None:
    detected = datetime(2026, 9, 1, tzinfo=UTC)
    pause = (detected + timedelta(days=20), detected + timedelta(days=30))
    ladder = Ladder(detected, pauses=(pause,), throttle_from=5)
    assert ladder.day(detected + timedelta(days=25)) == 20
    assert ladder.verdict(detected + timedelta(days=35, minutes=6)) is None
    assert ladder.verdict(detected + timedelta(days=40, minutes=6)) == Verdict("throttle", 5)
    assert ladder.verdict(detected + timedelta(days=40, minutes=10)) is None
    assert ladder.verdict(detected + timedelta(days=101)) == Verdict("block", 60)
    assert ladder.stage(detected - timedelta(seconds=1)) is None
    assert (
        FixedWindows(10, 0, throttle_from=55).verdict(datetime(2026, 11, 24, 9, 4, 59, tzinfo=UTC))
        is not None
    )


def test_retries_follow_the_documented_defaults() -> None:
    minutes = [Retries().after(refusals) // timedelta(minutes=1) for refusals in range(1, 13)]
    assert minutes == [1, 1, 1, 1, 5, 5, 5, 5, 5, 5, 10, 10]


def test_cells_lists_and_builds() -> None:
    assert cell('a "b", c') == '"a ""b"", c"'
    assert cell(" x ") == " x "
    assert listed(["a", "b;c", "d"]) == "a;'b;c';d"
    assert padded("15.2.2562.56") == "15.02.2562.056"


@pytest.mark.parametrize("kind", list(PLACES))
def test_bulk(tmp_path: Path, kind: Kind) -> None:
    files = write_bulk(tmp_path, 3, kind, files=6, servers=3)
    assert len({file.path for file in files}) == 6 and len({file.path.parent for file in files}) == 3
    assert abs(sum(file.bytes for file in files) - 3_000_000) < 150_000
    seen: set[str] = set()
    for file in files:
        content = file.path.read_bytes()
        assert len(content) == file.bytes
        lines = content.decode("utf-8").split("\r\n")
        assert lines.pop() == "" and len(lines) == file.header + file.rows
        width = lines[4].count(",") + 1
        rows = [next(csv.reader([text], strict=True)) for text in lines[5:]]
        assert {len(row) for row in rows} == {width}
        seconds = [row[0][:19] for row in rows]
        assert seconds == sorted(seconds)
        assert content.count(WORDS.encode()) >= file.refusals
        column = 2 if width == 9 else 10
        ids = {row[column] for row in rows}
        assert not ids & seen and len(ids) >= file.messages
        seen |= ids
    assert (kind == "smtp-receive") == (sum(file.refusals for file in files) == 0)
    again = write_bulk(tmp_path / "again", 3, kind, files=6, servers=3)
    assert [file.path.read_bytes() for file in again] == [file.path.read_bytes() for file in files]
