"""What changed since an earlier report: `tbes report all --format json --output FILE`, and later `--since-report FILE`.

The comparison itself is `compare`, of plain records; findings are the same if their finding_key is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError

# of the saved file; another number means that its shape changed
FILE_VERSION = 1
COLUMNS = {
    "change": "logs stopped, new, worse, better or gone",
    "organisation": "id of the organisation",
    "server": "server; null where it concerns the whole organisation",
    "severity": "severity now; of a finding that is gone, null",
    "severity_before": "severity in the earlier report; of a new finding, null",
    "degree": "degree now (a stage, a number of messages)",
    "degree_before": "degree in the earlier report",
    "finding_key": "key of the finding",
    "finding": "the finding; of one that is gone, as it was",
    "action": "what to do; null where nothing",
    "act_by": "day by which it should be done",
    "third_party_dates": "dates of this row that rest on one third-party source, by column; null = none",
}
TYPES = dict.fromkeys(COLUMNS, "VARCHAR") | {"degree": "BIGINT", "degree_before": "BIGINT", "act_by": "DATE"}
_ORDER = ("logs stopped", "new", "worse", "better", "gone")
_SEVERITY = {"note": 1, "warning": 2, "critical": 3}
# logs come daily at least; an earlier report of an hour ago proves nothing
_EXPECTED_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier report: its date, whom it was about (None = all) and its rows as they were written."""

    as_of: datetime
    organisation: str | None
    findings: list[dict[str, Any]]
    logs_to: dict[str, datetime | None]


def load(path: Path) -> Earlier:
    """Read a report that was saved with `--format json` of the whole set. Raises UsageError if the file is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        head, reports = content["tbes"], content["reports"]
        if head["file_version"] != FILE_VERSION:
            raise UsageError(
                f"{path} was written by another version of tbes ({head['version']}): save the earlier report again"
            )
        findings = [dict(finding) for finding in reports["findings"]]
        for finding in findings:
            _ = (
                finding["finding_key"],
                finding["organisation"],
                finding["degree"],
                _SEVERITY[finding["severity"]],
            )
        return Earlier(
            _moment(head["as_of"]),
            head["organisation"],
            findings,
            {
                row["organisation"]: _moment(row["logs_to"]) if row["logs_to"] else None
                for row in reports["exposure"]
            },
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path} is no report of the whole set: save one with tbes report all --format json --output {path.name}"
        ) from error


def compare(
    earlier: Earlier,
    findings: Sequence[Mapping[str, Any]],
    logs_to: Mapping[str, datetime | None],
    as_of: datetime,
    organisation: str | None = None,
) -> list[dict[str, Any]]:
    """The changes, worst first: records of COLUMNS.

    `findings` are today's records, `logs_to` the last row of each organisation's logs. An organisation whose logs end
    where they ended in an earlier report of at least a day ago has stopped to arrive, as has one that is gone. A note
    is worse only by becoming a warning; of other findings a higher degree is worse too.
    """
    if earlier.as_of > as_of:
        raise UsageError(f"The earlier report is of {earlier.as_of:%Y-%m-%d %H:%M}Z, later than this one")
    if earlier.organisation is not None and earlier.organisation != organisation:
        raise UsageError(
            f"The earlier report is of one organisation alone: compare with --organisation {earlier.organisation}"
        )
    of_interest = [finding for finding in earlier.findings if organisation in (None, finding["organisation"])]
    before = {finding["finding_key"]: finding for finding in of_interest}
    now = {finding["finding_key"]: finding for finding in findings}
    changes = _stopped(earlier, logs_to, as_of, organisation)
    for key, finding in now.items():
        old = before.get(key)
        change = "new" if old is None else _change(old, finding)
        if change:
            changes.append(_record(change, finding, finding, old))
    changes += [_record("gone", old, None, old) for key, old in before.items() if key not in now]
    return sorted(changes, key=_rank)


def _stopped(
    earlier: Earlier, logs_to: Mapping[str, datetime | None], as_of: datetime, organisation: str | None
) -> list[dict[str, Any]]:
    found = []
    for name, end in earlier.logs_to.items():
        if organisation not in (None, name):
            continue
        if name not in logs_to:
            sentence = "It was in the earlier report, and nothing of it is in the store any more."
        else:
            now = logs_to[name]
            if (now is not None and (end is None or now > end)) or as_of - earlier.as_of < _EXPECTED_WITHIN:
                continue
            if now is None:
                sentence = "There are no logs of it."
            else:
                sentence = f"No log of it has arrived since: its logs end on {now:%Y-%m-%d %H:%M} UTC, as in the earlier report."
        found.append(
            {
                **dict.fromkeys(COLUMNS),
                "change": "logs stopped",
                "organisation": name,
                "severity": "warning",
                "finding_key": f"{name}/*/logs-stopped",
                "finding": sentence,
                "action": "Find out why its logs stopped arriving.",
            }
        )
    return found


def _change(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    ranks = (_SEVERITY[old["severity"]], _SEVERITY[new["severity"]])
    if ranks[0] != ranks[1]:
        return "worse" if ranks[1] > ranks[0] else "better"
    if (
        new["severity"] == "note"
        or old["degree"] is None
        or new["degree"] is None
        or old["degree"] == new["degree"]
    ):
        return None
    return "worse" if new["degree"] > old["degree"] else "better"


def _record(
    change: str, words: Mapping[str, Any], new: Mapping[str, Any] | None, old: Mapping[str, Any] | None
) -> dict[str, Any]:
    return {
        "change": change,
        "organisation": words["organisation"],
        "server": words.get("server"),
        "severity": new["severity"] if new else None,
        "severity_before": old["severity"] if old else None,
        "degree": new["degree"] if new else None,
        "degree_before": old["degree"] if old else None,
        "finding_key": words["finding_key"],
        "finding": words.get("finding"),
        "action": new.get("action") if new else None,
        "act_by": new.get("act_by") if new else None,
        "third_party_dates": words.get("third_party_dates"),
    }


def _rank(change: Mapping[str, Any]) -> tuple[Any, ...]:
    worst = -max(_SEVERITY.get(change[name] or "", 0) for name in ("severity", "severity_before"))
    return (
        _ORDER.index(change["change"]),
        worst,
        change["organisation"],
        change["server"] or "",
        change["finding_key"],
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
