-- title: Refusals by minute of the hour
-- answers: In which minutes of the hour Exchange Online refuses, per server and day, and whether that looks like one window.
-- terminal: organisation, server, day, action, minutes_per_hour, refusals, first_minute, last_minute, span_minutes, looks, other_servers
-- columns:
--   organisation: id of the organisation
--   server: server that handed over; null where unknown
--   day: day, UTC
--   action: throttle or block
--   minutes_per_hour: minutes an hour that the replies name; null where they name none
--   refusals: refusals
--   spells: groups of refusals that can be of one window: closer than the named minutes; one a day where all the hour is named
--   first_minute: minute of the hour with which the shortest arc begins that holds all refusals
--   last_minute: minute with which it ends; below first_minute where it straddles the hour
--   span_minutes: length of this arc, minutes
--   covered_minutes: different minutes of the hour with a refusal
--   longest_spell_minutes: longest spell, minutes
--   accepted_inside: messages accepted inside spells, a minute away from their ends, by tracking: in a window there is none
--   looks: fixed, rolling, random, longer than named, whole hour or too few, as the logs have it; no rule is public
--   other_servers: whether one window fits all servers of the organisation that were refused on that day
--   words: the counts behind looks, in a sentence
select
    organisation, server, day, action, minutes_per_hour, refusals, spells, first_minute, last_minute,
    span_minutes, covered_minutes, longest_spell_minutes, accepted_inside, looks, other_servers, words
from refusal_windows
order by organisation, server, day, action, minutes_per_hour
