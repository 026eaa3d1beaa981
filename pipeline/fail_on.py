"""`--fail-on`: organisations and servers that are throttled, blocked or near a stage, for monitoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pipeline.errors import UsageError
from pipeline.sql import Session

MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Conditions:
    """What counts as a finding. `within` is a time from the report date."""

    throttled: bool = False
    blocked: bool = False
    within: timedelta | None = None

    @property
    def any(self) -> bool:
        """Whether anything was asked for."""
        return self.throttled or self.blocked or self.within is not None


def parse_conditions(values: Sequence[str]) -> Conditions:
    """`throttled`, `blocked`, `within=30d`, also several with commas. Raises UsageError for anything else."""
    throttled = blocked = False
    within: timedelta | None = None
    for word in (part.strip().lower() for value in values for part in value.split(",")):
        if word == "throttled":
            throttled = True
        elif word == "blocked":
            blocked = True
        elif word.startswith("within=") and word.endswith("d") and word[7:-1].isdecimal() and len(word) < 13:
            days = timedelta(days=int(word[7:-1]))
            within = max(within, days) if within else days
        else:
            raise UsageError(f"--fail-on {word!r}: give throttled, blocked or within=30d (a number of days)")
    return Conditions(throttled, blocked, within)


def findings(session: Session, conditions: Conditions) -> list[str]:
    """A clause for every organisation and server that is so, worst first; empty where nothing is.

    `throttled` is mail that is delayed or blocked, `blocked` mail that is refused for good, by what the logs
    end with (not `recovered since`); `within` is the earliest instant of the next stage or the full block.
    """
    found: list[str] = []
    states = [
        *(("fully blocked", "partly blocked") if conditions.blocked or conditions.throttled else ()),
        *(("delayed",) if conditions.throttled else ()),
    ]
    if states:
        listed = ", ".join(f"'{state}'" for state in states)
        rows = session.query(
            f"select organisation, server, state from mail_states where state in ({listed}) order by "
            "case state when 'fully blocked' then 1 when 'partly blocked' then 2 else 3 end, "
            "organisation, server"
        ).rows
        # a server is named where it is as bad as its organisation, which is then not named again
        servers = {(organisation, state) for organisation, server, state in rows if server}
        found += [
            f"{organisation} {server} is {state}" if server else f"{organisation} is {state}"
            for organisation, server, state in rows
            if server or (organisation, state) not in servers
        ]
    if conditions.within is not None:
        rows = session.query(
            "select c.organisation, c.server, c.next_stage, c.next_stage_earliest, c.full_block_earliest "
            "from server_clocks as c cross join parameters as p "
            "where coalesce(c.state, '') <> 'not connecting' "
            "and least(c.next_stage_earliest, c.full_block_earliest) "
            f"<= p.as_of + interval {conditions.within.days} day "
            "order by least(c.next_stage_earliest, c.full_block_earliest), c.organisation, c.server"
        ).rows
        for organisation, server, stage, earliest, block in rows:
            if earliest is not None:
                found.append(f"{organisation} {server} may enter stage {stage} from {earliest:%Y-%m-%d}")
            else:
                found.append(f"{organisation} {server} may be blocked fully from {block:%Y-%m-%d}")
    return found


def sentence(found: Sequence[str]) -> str:
    """One line for stderr."""
    more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return f"--fail-on: {'; '.join(found[:MOST_NAMED])}{more}"
