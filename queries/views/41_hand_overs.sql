-- title: Mail handed to Exchange Online, by connector, destination and hour
-- answers: How much mail goes to Exchange Online, by server, connector, tenant and hour, and which of it is under enforcement.
-- kept: small, and asked for by many views
-- columns:
--   organisation: id of the organisation
--   server: server that handed over, first label in capitals; null where unknown
--   connector: Send connector
--   destination: next hop (tracking), or domain of the recipient (hours without tracking)
--   tenant: first label of the next hop, or the domain of the recipient
--   hour: hour, UTC
--   first_time: first message accepted or refused in it, UTC
--   last_time: last of them, UTC
--   messages: messages accepted
--   recipients: their recipients; null where only protocol logs have them
--   refused_messages: messages refused for the build of the server, once each hour
--   evidence: message-tracking, smtp-send, or refusals where nothing was accepted
--   in_scope: yes, no or unknown: whether enforcement applies to this path
--   scope_reason: why
with counts as materialized (
    select * from hand_over_counts
),

paths as (
    select
        c.organisation, c.connector, c.destination, sum(c.refused) as refused, sum(c.messages) as messages,
        sum(c.own_messages) as own_messages
    from counts as c
    group by c.organisation, c.connector, c.destination
),

own_domains as (
    select distinct organisation, replace(lower(domain), '.', '-') as label, lower(domain) as domain from organisation_domains
),

refusing_connectors as (
    select distinct organisation, connector from counts where refused > 0 and destination is null
),

scoped as (
    select
        p.organisation, p.connector, p.destination,
        case
            when k.in_scope then 'organisations.toml says so'
            when not k.in_scope then 'organisations.toml says that it is not'
            when p.refused > 0 or r.organisation is not null then 'Exchange Online refused mail on this path for the build of a server'
            when lower(p.connector) like 'outbound to office 365%' then 'connector of the hybrid wizard'
            when p.destination like '%onmicrosoft-com.%' or p.destination like '%.onmicrosoft.com'
                then 'address space of the tenant itself'
            when d.label is not null then 'domain of the organisation itself'
            when p.own_messages * 2 > p.messages then 'domain of the senders themselves'
        end as reason,
        coalesce(not k.in_scope, false) as ruled_out
    from paths as p
    left join known_connectors as k
        on p.organisation = k.organisation and lower(p.connector) = lower(k.connector)
    left join refusing_connectors as r on p.organisation = r.organisation and p.connector is not distinct from r.connector
    left join own_domains as d
        on p.organisation = d.organisation and (split_part(p.destination, '.', 1) = d.label or p.destination = d.domain)
),

scoped_organisations as (
    select distinct organisation from scoped where reason is not null and not ruled_out
)

select
    c.organisation, c.server, c.connector, c.destination,
    case when max(c.by_tracking) = 0 then c.destination else split_part(c.destination, '.', 1) end as tenant,
    c.hour, min(c.first_time) as first_time, max(c.last_time) as last_time,
    cast(sum(c.messages) as bigint) as messages, cast(sum(c.recipients) as bigint) as recipients,
    cast(sum(c.refused) as bigint) as refused_messages,
    case
        when max(c.by_tracking) = 1 then 'message-tracking'
        when max(c.by_tracking) = 0 then 'smtp-send'
        else 'refusals'
    end as evidence,
    case
        when s.ruled_out then 'no'
        when s.reason is not null then 'yes'
        when o.organisation is not null then 'no'
        else 'unknown'
    end as in_scope,
    case
        when s.reason is not null then s.reason
        when o.organisation is not null
            then 'another company''s tenant: the organisation hands over to its own by another path'
        else 'nothing tells whose tenant it is; name the connector in organisations.toml'
    end as scope_reason
from counts as c
left join scoped as s
    on c.organisation = s.organisation and c.connector is not distinct from s.connector
    and c.destination is not distinct from s.destination
left join scoped_organisations as o on c.organisation = o.organisation
group by c.organisation, c.server, c.connector, c.destination, c.hour, s.ruled_out, s.reason, o.organisation
