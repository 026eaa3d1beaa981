"""Which columns of reports hold the product's own words: only these are translated, never what comes from logs."""

from __future__ import annotations

# whole sentences, for people
PROSE = frozenset({
    "verdict", "next_action", "next_raise", "finding", "note", "gap", "shows", "command", "what_to_do", "readings", "confidence", "reading",
    "assumptions", "words", "flags", "warning", "assignment", "scope_reason", "build_evidence", "evidence", "other_servers", "signals",
    "expected", "meaning",
})
# short terms that programs compare; translated for people only
TERMS = frozenset({
    "state", "build_risk", "severity", "severity_before", "accepted", "accepted_after_next_raise", "supported", "baseline_status",
    "build_strength", "strength", "outcome", "sender_told", "in_scope", "action", "direction", "is_exchange", "generation", "basis",
    "stage_is", "looks", "agreement", "option", "expected_by", "change",
})
# where `action` is a sentence; elsewhere it is throttle or block
_ACTIONS = ("findings", "changes")


def is_prose(report: str, column: str) -> bool:
    """Whether the column holds sentences."""
    return column in PROSE or (column == "action" and report in _ACTIONS)


def is_translated(report: str, column: str) -> bool:
    """Whether the column holds words of the product at all."""
    return column in PROSE or column in TERMS or is_prose(report, column)
