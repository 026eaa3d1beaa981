"""What stands beside clean files in real copies: archives, other logs, damage, a file being written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.generator.lines import (
    CONNECTIVITY,
    CONNECTIVITY_LOG,
    MESSAGE_TRACKING_LOG,
    header_block,
    line,
    stamp,
)
from tests.generator.tree import CONNECTIVITY_HUB, LOGS, LogFile, as_gzip, as_zip
from tests.generator.truth import FileTruth


@dataclass(frozen=True, slots=True)
class Rendered:
    """Files by path, and what each log in them holds."""

    files: dict[str, bytes]
    truth: tuple[FileTruth, ...]


def _truth(log: LogFile, path: str = "") -> FileTruth:
    return FileTruth(
        path or log.path,
        log.server,
        log.log_type,
        log.count("header"),
        log.count("row"),
        log.count("damaged"),
        log.count("unfinished"),
    )


def _together(files: dict[str, bytes], truth: Iterable[FileTruth]) -> Rendered:
    return Rendered(dict(sorted(files.items())), tuple(sorted(truth, key=lambda log: log.path)))


def plain(logs: list[LogFile]) -> Rendered:
    """Every log as it is."""
    return _together({log.path: log.content() for log in logs}, map(_truth, logs))


def with_gzip(logs: list[LogFile], ending: str) -> Rendered:
    """The one log whose path has this ending, compressed to `.gz`."""
    (chosen,) = (log for log in logs if log.path.endswith(ending))
    done = plain([log for log in logs if log is not chosen])
    path = chosen.path + ".gz"
    return _together({**done.files, path: as_gzip(chosen.content())}, [*done.truth, _truth(chosen, path)])


def with_connectivity_log(logs: list[LogFile], server: str, time: datetime) -> Rendered:
    """A connectivity log beside the others: no log that is read, and no error."""
    session = "08DE2B0F55A10C27"
    hop = "alderbrookexample.mail.onmicrosoft.com"
    texts = (
        ("+", "SmartHostConnectorDelivery;QueueLength=TQ=1"),
        (">", "203.0.113.5, 25"),
        ("-", "Messages: 1 Bytes: 9913"),
    )
    base = next(log.path for log in logs if log.server == server).partition(LOGS)[0]
    log = LogFile(
        f"{base}{LOGS}/{CONNECTIVITY_HUB.folder}/CONNECTLOG{time:%Y%m%d%H}-1.LOG", server, CONNECTIVITY_LOG
    )
    log.lines = [("header", text) for text in header_block(CONNECTIVITY_LOG, "15.0.0.0", time, CONNECTIVITY)]
    for number, (direction, text) in enumerate(texts):
        at = time + timedelta(milliseconds=90 * number)
        log.lines.append(("row", line((stamp(at), session, "SMTP", hop, direction, text))))
    return plain([*logs, log])


def with_month_zip_and_iis(logs: list[LogFile], zipped: str, server: str) -> Rendered:
    """All logs of one server in one zip of the month, with their folders; a web server's log on the other."""
    chosen = [log for log in logs if log.server == zipped]
    done = plain([log for log in logs if log not in chosen])
    home = "/".join(chosen[0].path.split("/")[:2])
    archive = f"{home}/{zipped}-2026-11.zip"
    members = {log.path.removeprefix(home + "/"): log.content() for log in chosen}
    inside = [_truth(log, f"{archive}!{log.path.removeprefix(home + '/')}") for log in chosen]
    organisation = chosen[0].path.partition("/")[0]
    iis = LogFile(f"{organisation}/{server}/inetpub/logs/LogFiles/W3SVC1/u_ex261124.log", server, "")
    iis.lines = [
        ("header", "#Software: Microsoft Internet Information Services 10.0"),
        ("header", "#Version: 1.0"),
        ("header", "#Date: 2026-11-24 00:00:11"),
        ("header", "#Fields: date time s-ip cs-method cs-uri-stem s-port c-ip sc-status time-taken"),
        ("row", "2026-11-24 00:00:11 10.31.0.22 GET /owa/healthcheck.htm 443 10.31.0.2 200 3"),
        ("row", "2026-11-24 00:00:41 10.31.0.22 GET /owa/healthcheck.htm 443 10.31.0.2 200 2"),
    ]
    files = {**done.files, archive: as_zip(members), iis.path: iis.content()}
    return _together(files, [*done.truth, *inside, _truth(iis)])


def with_half_last_line(logs: list[LogFile]) -> Rendered:
    """The newest tracking log was copied while the service was writing: its last line is half there."""
    chosen = max((log for log in logs if log.log_type == MESSAGE_TRACKING_LOG), key=lambda log: log.path)
    last = chosen.lines[-1][1]
    chosen.lines.append(("unfinished", last[: len(last) * 2 // 5]))
    return plain(logs)


def with_damaged_line(logs: list[LogFile]) -> Rendered:
    """A tracking log has one line cut after an opening quote: it cannot be read, the next one can."""
    chosen = next(log for log in logs if log.log_type == MESSAGE_TRACKING_LOG and '"' in log.lines[-1][1])
    text = chosen.lines[-1][1]
    chosen.lines.insert(len(chosen.lines) - 1, ("damaged", text[: text.index('"') + 30]))
    return plain(logs)
