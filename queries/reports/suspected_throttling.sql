-- title: Throttling that no log quotes
-- answers: Where late hand-overs look like throttling although Send logs are off and no refusal is quoted: suspected, not proven.
-- terminal: organisation, server, first_day, last_day, days, late_messages, messages, window_minutes, first_minute
-- below: verdict, next_action
-- columns:
--   organisation: id of the organisation
--   server: server that handed over, first label in capitals
--   first_day: first day with the pattern, UTC
--   last_day: last such day, UTC
--   days: days with the pattern
--   late_messages: late messages on these days
--   messages: messages handed over in scope on these days
--   window_minutes: minutes an hour of the window that fits best on the last day, as the table of stages has them
--   first_minute: minute of the hour with which it begins on the last day
--   same_window: whether it begins within the same three minutes on all days
--   median_late_seconds: median latency of the late ones on the last day, seconds
--   longest_late_seconds: longest latency, seconds
--   other_replies: other temporary refusals that this server's logs hold, with their number of lines
--   verdict: what is suspected, and what looks the same
--   next_action: how to prove it
select
    organisation, server, first_day, last_day, days, late_messages, messages, window_minutes, first_minute,
    same_window, median_late_seconds, longest_late_seconds, other_replies, verdict, next_action
from suspected_throttling
order by organisation, server
