"""Lines for the clock tests: refusals with the clock of Exchange Online in their bracket, and mail that passes."""

from __future__ import annotations

import itertools

from tests.queries.conftest import HYBRID, TENANT, Logs, refusal

_NUMBERS = itertools.count(1)
HOST = "CH3PEPF0016.namprd21.prod.outlook.com"
PATH = {"connector_id": HYBRID, "peer_name": TENANT, "destination_class": "exchange-online"}


def refused(
    logs: Logs, action: str, minutes: int, *times: str, peer_times: tuple[str, ...] = (), **cells: object
) -> None:
    """A refusal at each time, `2026-10-11T12:00:00Z`, of a message of its own."""
    for time, peer in zip(times, peer_times or times, strict=True):
        message_id = f"<r{next(_NUMBERS)}@contoso.com>"
        logs.rows(
            "message-tracking",
            time,
            message_id=message_id,
            sender_address="ann@contoso.com",
            return_path="ann@contoso.com",
            recipient_address="bob@contoso.mail.onmicrosoft.com",
            **{
                "event_id": "DEFER" if action == "throttle" else "FAIL",
                **PATH,
                **refusal(action, minutes),
                "reply_host": HOST,
                "peer_time": peer,
                **cells,
            },
        )


def passed(logs: Logs, *times: str, **cells: object) -> None:
    """A message that Exchange Online accepts at each time."""
    for time in times:
        logs.rows(
            "message-tracking",
            time,
            event_id="SENDEXTERNAL",
            message_id=f"<p{next(_NUMBERS)}@contoso.com>",
            recipient_count=1,
            sender_address="ann@contoso.com",
            **{**PATH, **cells},
        )


def wrote(logs: Logs, build: str, *times: str, **cells: object) -> None:
    """Tracking rows that a build wrote."""
    logs.rows("message-tracking", *times, event_id="RECEIVE", log_build=build, **cells)


def clock(logs: Logs, as_of: str, server: str = "EX01") -> dict[str, object]:
    """The row of `server_clocks` at a report date."""
    logs.as_of(as_of)
    return logs.one(f"select * from server_clocks where server = '{server}'")
