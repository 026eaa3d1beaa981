-- title: Mail in scope that Exchange Online accepted, by minute
-- answers: In which minutes a server handed over mail on paths under enforcement.
-- columns:
--   organisation: id of the organisation
--   server: server that handed over, first label in capitals
--   minute_number: minutes since 1970, by the log
--   messages: messages accepted
-- materialised: a pass over the hand-overs
-- A server without any tracking is counted by its Send logs, a message once a minute.
with scopes as (
    select distinct organisation, connector, destination from hand_overs where in_scope = 'yes' and messages > 0
),

connectors as (
    select distinct organisation, connector from scopes
),

tracked as (
    select
        organisation, server, connector_id, peer_name, cast(floor(epoch(date_time) / 60) as bigint) as minute_number,
        count(*) as messages
    from message_tracking
    where destination_class = 'exchange-online' and event_id in ('SEND', 'SENDEXTERNAL')
    group by organisation, server, connector_id, peer_name, cast(floor(epoch(date_time) / 60) as bigint)
),

tracked_servers as (
    select distinct organisation, server from tracking_hours where server is not null
),

logged as (
    select
        p.organisation, coalesce(upper(split_part(p.server, '.', 1)), a.server) as server, p.connector_id,
        cast(floor(epoch(p.date_time) / 60) as bigint) as minute_number, lower(trim(p.message_id, '<> ')) as id
    from smtp_protocol as p
    left join server_addresses as a on p.organisation = a.organisation and p.local_ip = a.ip and p.server is null
    where p.log_kind = 'smtp-send' and p.event = '<' and p.reply_code = 250 and p.message_id is not null
        and p.reply_host is not null
)

select t.organisation, upper(split_part(t.server, '.', 1)) as server, t.minute_number, cast(sum(t.messages) as bigint) as messages
from tracked as t
inner join scopes as s
    on t.organisation = s.organisation and t.connector_id is not distinct from s.connector
    and lower(t.peer_name) is not distinct from s.destination
where t.server is not null
group by t.organisation, upper(split_part(t.server, '.', 1)), t.minute_number
union all
select l.organisation, l.server, l.minute_number, count(distinct l.id) as messages
from logged as l
inner join connectors as c on l.organisation = c.organisation and l.connector_id is not distinct from c.connector
left join tracked_servers as t on l.organisation = t.organisation and l.server = t.server
where l.server is not null and t.server is null
group by l.organisation, l.server, l.minute_number
