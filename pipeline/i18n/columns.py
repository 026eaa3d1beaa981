"""Which columns of reports hold the product's own words: only these are translated, never what comes from logs."""

from __future__ import annotations

# whole sentences, for people
PROSE = frozenset(
    {
        "assignment",
        "assumptions",
        "build_evidence",
        "carried",
        "command",
        "confidence",
        "evidence",
        "expected",
        "finding",
        "flags",
        "gap",
        "meaning",
        "next_action",
        "next_raise",
        "note",
        "other_servers",
        "reading",
        "readings",
        "says",
        "scope_reason",
        "shows",
        "signals",
        "verdict",
        "warning",
        "what",
        "what_to_do",
        "words",
    }
)
# short terms that programs compare; translated for people only
TERMS = frozenset(
    {
        "accepted",
        "accepted_after_next_raise",
        "action",
        "agreement",
        "baseline_status",
        "basis",
        "build_risk",
        "build_strength",
        "change",
        "clock_state",
        "direction",
        "earlier_generation",
        "expected_by",
        "generation",
        "in_scope",
        "is_exchange",
        "looks",
        "mail_class",
        "option",
        "outcome",
        "sender_told",
        "severity",
        "severity_before",
        "source",
        "stage_is",
        "state",
        "strength",
        "supported",
    }
)
# where `action` is a sentence; elsewhere it is throttle or block
_ACTIONS = ("findings", "changes")


def is_prose(report: str, column: str) -> bool:
    """Whether the column holds sentences."""
    return column in PROSE or (column == "action" and report in _ACTIONS)


def is_translated(report: str, column: str) -> bool:
    """Whether the column holds words of the product at all."""
    return column in PROSE or column in TERMS or is_prose(report, column)
