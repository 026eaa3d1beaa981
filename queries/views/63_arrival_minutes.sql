-- title: When mail in scope comes, by minute of the day
-- answers: At which minutes of the day a server has mail for Exchange Online on paths under enforcement.
-- kept: a pass over the hand-overs
-- columns:
--   organisation: id of the organisation
--   server: server that hands over, first label in capitals
--   minute_of_day: minute of the day, UTC, 0 to 1439, by the log
--   messages: messages, all days together
-- A refused message came when it was first tried, not when it was accepted. A server without any tracking is counted by
-- its Send logs, a message once a minute of the day.
with scopes as (
    select distinct organisation, connector, destination from hand_overs where in_scope = 'yes' and messages > 0
),

connectors as (
    select distinct organisation, connector from scopes
),

tracked as (
    select
        organisation, server, connector_id, peer_name, cast(floor(epoch(date_time) / 60) as bigint) % 1440 as minute_of_day,
        count(*) as messages
    from message_tracking
    where destination_class = 'exchange-online' and event_id in ('SEND', 'SENDEXTERNAL')
    group by organisation, server, connector_id, peer_name, cast(floor(epoch(date_time) / 60) as bigint) % 1440
),

tracked_servers as (
    select distinct organisation, server from tracking_hours where server is not null
),

logged as (
    select
        p.organisation, coalesce(upper(split_part(p.server, '.', 1)), a.server) as server, p.connector_id,
        cast(floor(epoch(p.date_time) / 60) as bigint) % 1440 as minute_of_day, lower(trim(p.message_id, '<> ')) as id
    from smtp_protocol as p
    left join server_addresses as a on p.organisation = a.organisation and p.local_ip = a.ip and p.server is null
    where p.log_kind = 'smtp-send' and p.event = '<' and p.reply_code = 250 and p.message_id is not null
        and p.reply_host is not null
),

united as (
    select t.organisation, upper(split_part(t.server, '.', 1)) as server, t.minute_of_day, t.messages
    from tracked as t
    inner join scopes as s
        on t.organisation = s.organisation and t.connector_id is not distinct from s.connector
        and lower(t.peer_name) is not distinct from s.destination
    where t.server is not null
    union all
    select l.organisation, l.server, l.minute_of_day, count(distinct l.id) as messages
    from logged as l
    inner join connectors as c on l.organisation = c.organisation and l.connector_id is not distinct from c.connector
    left join tracked_servers as t on l.organisation = t.organisation and l.server = t.server
    where l.server is not null and t.server is null
    group by l.organisation, l.server, l.minute_of_day
    union all
    select organisation, server, cast(floor(epoch(accepted_time) / 60) as bigint) % 1440, -1
    from message_fates
    where server is not null and accepted_time is not null
    union all
    select organisation, server, cast(floor(epoch(first_attempt) / 60) as bigint) % 1440, 1
    from message_fates
    where server is not null
)

select organisation, server, minute_of_day, cast(sum(messages) as bigint) as messages
from united
group by organisation, server, minute_of_day
having sum(messages) <> 0
