-- title: How far the clock of each log's server is off
-- answers: What to add to the times in a server's logs, measured from the clock of Exchange Online.
-- kept: small; a pass over the replies of Exchange Online
-- columns:
--   organisation: id of the organisation
--   server: server whose log it is, first label in capitals
--   samples: lines that hold both clocks
--   skew_seconds: what to add to its times, seconds
--   error_seconds: how far a corrected time may still be off, seconds
--   first_seen: first such line, UTC
--   last_seen: last such line, UTC
-- The other clock stands in the banner of Exchange Online and in the bracket of a refusal.
with pairs as (
    select
        p.organisation, coalesce(upper(split_part(p.server, '.', 1)), a.server) as server, p.date_time as time,
        date_diff('millisecond', p.date_time, p.peer_time) as apart
    from smtp_protocol as p
    left join server_addresses as a on p.organisation = a.organisation and p.local_ip = a.ip and p.server is null
    where p.peer_time is not null and p.log_kind = 'smtp-send' and p.event = '<'
        and (p.destination_class = 'exchange-online' or p.reply_host is not null)
    union all
    select organisation, server, time, date_diff('millisecond', time, peer_time) as apart
    from refusals
    where peer_time is not null and not quotes_older and log_kind <> 'smtp-send'
),

days as (
    select
        organisation, server, date_trunc('day', time) as day, count(*) as samples, median(apart) as apart,
        min(time) as first_seen, max(time) as last_seen
    from pairs
    where server is not null and abs(apart) < 86400000
    group by organisation, server, date_trunc('day', time)
),

skews as (
    select
        organisation, server, sum(samples) as samples, median(apart) as apart, min(first_seen) as first_seen,
        max(last_seen) as last_seen
    from days
    group by organisation, server
)

-- a clock that was set in between leaves days apart from the others: that distance is the error
select
    s.organisation, s.server, cast(s.samples as bigint) as samples,
        cast(round(s.apart / 1000) as bigint) as skew_seconds,
    cast(30 + ceil(max(abs(d.apart - s.apart)) / 1000) as bigint) as error_seconds, s.first_seen, s.last_seen
from skews as s
inner join days as d on s.organisation = d.organisation and s.server = d.server
group by s.organisation, s.server, s.samples, s.apart, s.first_seen, s.last_seen
