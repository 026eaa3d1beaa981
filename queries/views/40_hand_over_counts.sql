-- title: Mail handed to Exchange Online or refused by it, counted
-- answers: How many messages each server handed to Exchange Online in each hour, each message once.
-- kept: a pass over the SEND rows
-- columns:
--   organisation: id of the organisation
--   server: server that handed over, first label in capitals; null where unknown
--   connector: Send connector
--   destination: next hop (tracking), or domain of the recipient (hours without tracking)
--   hour: hour, UTC
--   first_time: first of them, UTC
--   last_time: last of them, UTC
--   messages: messages accepted
--   recipients: their recipients; null where only protocol logs have them
--   refused: messages refused for the build of the server, once each hour
--   own_messages: accepted messages whose sender's domain is that of the next hop
--   by_tracking: 1 = tracking counted, 0 = a Send log; null for refusals
with tracked_raw as (
    select
        organisation, server, connector_id, peer_name, floor(epoch(date_time) / 3600) as hour_number, count(*) as messages,
        cast(sum(recipient_count) as bigint) as recipients, min(date_time) as first_time, max(date_time) as last_time,
        count(
            case
                when replace(lower(split_part(coalesce(sender_address, return_path), '@', 2)), '.', '-')
                    = lower(split_part(peer_name, '.', 1)) then 1
            end
        ) as own_messages
    from message_tracking
    where destination_class = 'exchange-online' and event_id in ('SEND', 'SENDEXTERNAL')
    group by organisation, server, connector_id, peer_name, floor(epoch(date_time) / 3600)
),

tracked as (
    select
        organisation, upper(split_part(server, '.', 1)) as server, connector_id as connector,
        lower(peer_name) as destination, date_trunc('hour', first_time) as hour, first_time, last_time, messages, recipients, own_messages
    from tracked_raw
),

covered_hours as (
    select distinct organisation, server, hour from tracking_hours where server is not null
),

-- Send logs count only where the server has no tracking of that hour, and a message once
logged as (
    select
        p.organisation, coalesce(upper(split_part(p.server, '.', 1)), a.server) as server, p.connector_id as connector,
        p.session_id, p.sequence_number, p.log_service, p.date_time, p.message_id
    from smtp_protocol as p
    left join server_addresses as a on p.organisation = a.organisation and p.local_ip = a.ip and p.server is null
    left join covered_hours as c
        on p.organisation = c.organisation and coalesce(upper(split_part(p.server, '.', 1)), a.server) = c.server
        and date_trunc('hour', p.date_time) = c.hour
    where p.log_kind = 'smtp-send' and p.event = '<' and p.reply_code = 250 and p.message_id is not null
        and p.reply_host is not null and c.server is null
),

tracked_ids as (
    select distinct t.organisation, lower(trim(t.message_id, '<> ')) as id
    from message_tracking as t
    inner join (
        select organisation, message_id as spelling from logged
        union
        select organisation, trim(message_id, '<> ') as spelling from logged
        union
        select organisation, '<' || trim(message_id, '<> ') || '>' as spelling from logged
    ) as l on t.organisation = l.organisation and t.message_id = l.spelling
    where t.destination_class = 'exchange-online' and t.event_id in ('SEND', 'SENDEXTERNAL')
),

once as (
    select *
    from (
        select
            l.*,
            row_number() over (
                partition by l.organisation, lower(trim(l.message_id, '<> '))
                order by case when l.log_service = 'frontend' then 1 else 0 end, l.date_time, l.session_id
            ) as rank
        from logged as l
        left join tracked_ids as t on l.organisation = t.organisation and lower(trim(l.message_id, '<> ')) = t.id
        where t.id is null
    ) as ranked
    where rank = 1
),

domains as (
    select
        o.organisation, o.session_id, o.sequence_number, o.message_id,
        max_by(lower(regexp_extract(p.data, '@([^>@ ]+)>', 1)), p.sequence_number) as destination
    from once as o
    inner join smtp_protocol as p
        on o.organisation = p.organisation and o.session_id = p.session_id and p.sequence_number < o.sequence_number
    where p.verb = 'RCPT' and p.log_kind = 'smtp-send'
    group by o.organisation, o.session_id, o.sequence_number, o.message_id
),

counted as (
    select
        o.organisation, o.server, o.connector, d.destination, date_trunc('hour', o.date_time) as hour, min(o.date_time) as first_time,
        max(o.date_time) as last_time, count(*) as messages
    from once as o
    left join domains as d
        on o.organisation = d.organisation and o.session_id = d.session_id and o.sequence_number = d.sequence_number
        and o.message_id = d.message_id
    group by o.organisation, o.server, o.connector, d.destination, date_trunc('hour', o.date_time)
),

-- A refusal names no tenant in a protocol log, and may name a server instead of the tenant's host in tracking:
-- it is then the connector's tenant, where the connector has one alone.
destinations as (
    select distinct organisation, connector, destination from tracked
    union
    select distinct organisation, connector, destination from counted
),

only_destinations as (
    select organisation, connector, min(destination) as destination
    from destinations
    group by organisation, connector
    having count(distinct destination) = 1
),

placed as (
    select
        e.organisation, e.server, e.connector, date_trunc('hour', e.time) as hour, e.time, e.message_key,
        coalesce(k.destination, d.destination, e.destination) as destination
    from refusal_events as e
    left join destinations as k
        on e.organisation = k.organisation and e.connector = k.connector and e.destination = k.destination
    left join only_destinations as d on e.organisation = d.organisation and e.connector = d.connector
    where not e.quoted_only
),

refused as (
    select
        organisation, server, connector, destination, hour, min(time) as first_time, max(time) as last_time,
        count(distinct message_key) as messages
    from placed
    group by organisation, server, connector, destination, hour
)

select organisation, server, connector, destination, hour, first_time, last_time, messages, recipients, 0 as refused,
    own_messages, 1 as by_tracking
from tracked
union all
select organisation, server, connector, destination, hour, first_time, last_time, messages, null, 0, 0, 0 from counted
union all
select organisation, server, connector, destination, hour, first_time, last_time, 0, null, messages, 0, null from refused
