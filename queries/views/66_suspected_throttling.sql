-- title: Throttling that no log quotes
-- answers: Where late hand-overs look like throttling although Send logs are off and no refusal is quoted: suspected, not proven.
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
-- materialised: small
-- The evidence that a day must give stands in late_hand_overs.
with spans as (
    select
        organisation, server, min(day) as first_day, max(day) as last_day, count(*) as days, sum(late) as late,
        sum(messages) as messages, max_by(window_minutes, day) as minutes, max_by(first_minute, day) as first_minute,
        max_by(median_late_seconds, day) as middle, max(longest_late_seconds) as longest
    from late_hand_overs
    group by organisation, server
),

starts as (
    select
        l.organisation, l.server,
        max(least((l.first_minute - s.first_minute + 60) % 60, (s.first_minute - l.first_minute + 60) % 60)) as farthest
    from late_hand_overs as l
    inner join spans as s on l.organisation = s.organisation and l.server = s.server
    group by l.organisation, l.server
),

others as (
    select
        organisation, server,
        string_agg(enhanced_code || ' ' || meaning || ' (' || cast(lines as varchar) || ')', '; ' order by enhanced_code, meaning) as replies
    from (
        select organisation, server, enhanced_code, meaning, sum(lines) as lines
        from look_alikes
        where enhanced_code like '4.%'
        group by organisation, server, enhanced_code, meaning
    ) as summed
    group by organisation, server
),

connectors as (
    select organisation, server, min(connector) as connector
    from hand_overs
    where in_scope = 'yes' and messages > 0
    group by organisation, server
),

-- as in coverage: a PowerShell literal with each of the five kinds of single quote doubled, none for control characters
literals as (
    select
        organisation, server,
        case
            when connector <> ''
                and regexp_extract(connector, '[' || chr(0) || '-' || chr(31) || chr(127) || '-' || chr(159) || ']', 0) = ''
                then '''' || replace(replace(replace(replace(replace(connector, '''', ''''''), '‘', '‘‘'), '’', '’’'), '‚', '‚‚'), '‛', '‛‛')
                    || ''''
        end as literal
    from connectors
)

select
    s.organisation, s.server, s.first_day, s.last_day, s.days, cast(s.late as bigint) as late_messages,
    cast(s.messages as bigint) as messages, s.minutes as window_minutes, s.first_minute, f.farthest <= 2 as same_window,
    s.middle as median_late_seconds, s.longest as longest_late_seconds, o.replies as other_replies,
    concat_ws(' ', n.dated, 'Suspected, not proven: mail that comes in the same ' || cast(s.minutes as varchar)
        || ' minutes of each hour is handed over late. The same look have IP throttling (451 4.7.500), queues that drain slowly (KB5006982), connection failures, and jobs that send by the clock.'
        || case when o.replies is not null then ' Other temporary refusals are in these logs: ' || o.replies || '.' else '' end)
        as verdict,
    coalesce(
        'Set-SendConnector ' || c.literal || ' -ProtocolLoggingLevel Verbose; then read the Send log for 4.7.230.',
        'Get-SendConnector | Set-SendConnector -ProtocolLoggingLevel Verbose; then read the Send log for 4.7.230.'
    ) as next_action
from spans as s
inner join starts as f on s.organisation = f.organisation and s.server = f.server
left join others as o on s.organisation = o.organisation and s.server = o.server
left join literals as c on s.organisation = c.organisation and s.server = c.server
left join log_spans as n on s.organisation = n.organisation
