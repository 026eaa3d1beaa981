-- title: What the logs cover, by server, connector, log kind and hour
-- answers: What these logs can and cannot show in each hour, and which command closes each gap.
-- columns:
--   organisation: id of the organisation
--   server: first label in capitals; null where nothing names it
--   connector: connector; null for tracking
--   log_kind: message-tracking, smtp-send or smtp-receive
--   hour: hour, UTC
--   lines: rows in the logs; 0 = the log is missing in this hour
--   first_time: first row, UTC
--   last_time: last row, UTC
--   shows: what the rows can show
--   gap: what cannot be seen; null where nothing is missing
--   command: Exchange Management Shell command that closes the gap
with tracked as materialized (
    select organisation, server, hour, sum(lines) as lines, min(first_time) as first_time, max(last_time) as last_time
    from tracking_hours
    group by organisation, server, hour
),

logged as materialized (
    select * from protocol_hours
),

-- mail that was refused altogether has no row of a hand-over but those of its refusals
handed_over as (
    select organisation, server, connector, hour, min(first_time) as first_time, max(last_time) as last_time
    from hand_overs
    where server is not null and in_scope <> 'no'
        and (
            (evidence = 'message-tracking' and messages > 0)
            or (evidence = 'refusals' and refused_messages > 0 and connector is not null)
        )
    group by organisation, server, connector, hour
),

send_hours as (
    select organisation, server, connector, hour, min(first_time) as first_time, max(last_time) as last_time
    from logged
    where log_kind = 'smtp-send'
    group by organisation, server, connector, hour
),

old_servers as (
    select distinct organisation, server from server_builds where generation in ('2007', '2010')
),

-- a Receive log is one of the transport service only where its folder or port says so
transport_hours as (
    select organisation, server, hour, min(first_time) as first_time, max(last_time) as last_time
    from logged
    where server is not null
        and (
            (
                log_kind = 'smtp-send'
                and coalesce(log_service, 'hub') not in ('frontend', 'mailbox-delivery', 'mailbox-submission', 'mailbox')
            )
            or (log_kind = 'smtp-receive' and log_service in ('hub', 'edge'))
        )
    group by organisation, server, hour
),

relay_hours as (
    select organisation, server, hour, min(first_time) as first_time, max(last_time) as last_time
    from logged
    where relays and server is not null
    group by organisation, server, hour
),

frontend_send_hours as (
    select organisation, server, hour, min(first_time) as first_time, max(last_time) as last_time
    from logged
    where log_kind = 'smtp-send' and log_service = 'frontend'
    group by organisation, server, hour
),

-- hours that have no log of their own; then the neighbours of these few alone are looked at
-- A session or message that goes over the hour's end stands in the one log before and in the other after it: rows of the
-- neighbouring hour count as far as a connection may be idle (ConnectionInactivityTimeOut of a Send connector, 10 minutes).
handed_over_alone as (
    select h.*
    from handed_over as h
    left join send_hours as s
        on h.organisation = s.organisation and h.server = s.server and h.connector is not distinct from s.connector and h.hour = s.hour
    where s.server is null
),

no_send_log as materialized (
    select h.organisation, h.server, h.connector, h.hour
    from handed_over_alone as h
    left join send_hours as s
        on h.organisation = s.organisation and h.server = s.server and h.connector is not distinct from s.connector
        and (
            (h.hour - interval 1 hour = s.hour and h.last_time - s.last_time <= interval 10 minute)
            or (h.hour + interval 1 hour = s.hour and s.first_time - h.first_time <= interval 10 minute)
        )
    where s.server is null
),

transport_hours_alone as (
    select l.*
    from transport_hours as l
    left join tracked as t
        on l.organisation = t.organisation and l.server = t.server and l.hour = t.hour
    where t.server is null
),

no_tracking as materialized (
    select l.organisation, l.server, l.hour
    from transport_hours_alone as l
    left join tracked as t
        on l.organisation = t.organisation and l.server = t.server
        and (
            (l.hour - interval 1 hour = t.hour and l.last_time - t.last_time <= interval 10 minute)
            or (l.hour + interval 1 hour = t.hour and t.first_time - l.first_time <= interval 10 minute)
        )
    where t.server is null
),

relay_hours_alone as (
    select r.*
    from relay_hours as r
    left join frontend_send_hours as f
        on r.organisation = f.organisation and r.server = f.server and r.hour = f.hour
    where f.server is null
),

no_frontend_send_log as materialized (
    select r.organisation, r.server, r.hour
    from relay_hours_alone as r
    left join frontend_send_hours as f
        on r.organisation = f.organisation and r.server = f.server
        and (
            (r.hour - interval 1 hour = f.hour and r.last_time - f.last_time <= interval 10 minute)
            or (r.hour + interval 1 hour = f.hour and f.first_time - r.first_time <= interval 10 minute)
        )
    where f.server is null
),

-- A server whose tracking shows no hand-over to Exchange Online may hand over all the same what is refused altogether: without
-- any Send log nothing but a quoted reply would tell. The mailbox services have no Send log that Exchange Online answers.
no_send_log_at_all as (
    select distinct t.organisation, t.server, t.hour
    from tracking_hours as t
    left join (
        select organisation, server from logged where log_kind = 'smtp-send'
        union
        select organisation, server from no_send_log
        union
        select organisation, server from no_frontend_send_log
    ) as k on t.organisation = k.organisation and t.server = k.server
    where k.server is null and t.server is not null
        and coalesce(t.log_service, 'hub') not in ('frontend', 'mailbox-delivery', 'mailbox-submission', 'mailbox')
),

-- Names come from logs, and the commands are pasted: in a PowerShell literal nothing but a single quote has a meaning, of
-- which there are five kinds, each doubled. A name with a control character gets no literal: what is pasted ends at it.
literals as (
    select
        name,
        case
            when name = '' or regexp_extract(name, '[' || chr(0) || '-' || chr(31) || chr(127) || '-' || chr(159) || ']', 0) <> ''
                then null
            when is_server and regexp_extract(name, '^[A-Za-z][A-Za-z0-9-]*$', 0) = name then name
            else '''' || replace(replace(replace(replace(replace(name, '''', ''''''), '‘', '‘‘'), '’', '’’'), '‚', '‚‚'), '‛', '‛‛')
                || ''''
        end as literal,
        is_server
    from (
        select connector as name, false as is_server from no_send_log where connector is not null
        union
        select server as name, true as is_server from no_tracking
        union
        select server as name, true as is_server from no_frontend_send_log
    ) as named
)

select
    organisation, server, cast(null as varchar) as connector, 'message-tracking' as log_kind, hour,
    cast(lines as bigint) as lines, first_time, last_time,
    'which messages were handed over, deferred and failed, and the build of the server' as shows,
    case when server is null then 'nothing names the server of these lines' end as gap,
    case when server is null then 'copy the logs with their folders, or name the server in organisations.toml' end as command
from tracked
union all
select
    organisation, server, connector, log_kind, hour, cast(sum(lines) as bigint) as lines, min(first_time) as first_time,
    max(last_time) as last_time,
    case
        when log_kind = 'smtp-send' then 'the replies of the next hop, word for word'
        else 'who connected, and refusals that a front end passes on'
    end as shows,
    case when server is null then 'nothing names the server of these lines' end as gap,
    case when server is null then 'copy the logs with their folders, or name the server in organisations.toml' end as command
from logged
group by organisation, server, connector, log_kind, hour
union all
select
    h.organisation, h.server, h.connector, 'smtp-send' as log_kind, h.hour, 0 as lines, null as first_time, null as last_time,
    null as shows, 'the replies of Exchange Online on this connector are not visible' as gap,
    -- a row that names no connector: all of them
    coalesce(
        'Set-SendConnector ' || n.literal || ' -ProtocolLoggingLevel Verbose',
        'Get-SendConnector | Set-SendConnector -ProtocolLoggingLevel Verbose'
    ) as command
from no_send_log as h
left join literals as n on h.connector = n.name and not n.is_server
union all
select
    l.organisation, l.server, null as connector, 'message-tracking' as log_kind, l.hour, 0 as lines, null as first_time,
    null as last_time, null as shows, 'delays, bounces and the build of this server are not visible' as gap,
    case
        when o.server is not null
            then coalesce(
                'Set-TransportServer ' || n.literal || ' -MessageTrackingLogEnabled $true',
                'Get-TransportServer | Set-TransportServer -MessageTrackingLogEnabled $true'
            )
        else coalesce(
            'Set-TransportService ' || n.literal || ' -MessageTrackingLogEnabled $true',
            'Get-TransportService | Set-TransportService -MessageTrackingLogEnabled $true'
        )
    end as command
from no_tracking as l
left join literals as n on l.server = n.name and n.is_server
left join old_servers as o on l.organisation = o.organisation and l.server = o.server
union all
select
    r.organisation, r.server, null as connector, 'smtp-send' as log_kind, r.hour, 0 as lines, null as first_time,
    null as last_time, null as shows, 'the front end passes mail on, but its own Send log is not there' as gap,
    coalesce(
        'Set-FrontendTransportService ' || n.literal || ' -IntraOrgConnectorProtocolLoggingLevel Verbose',
        'Get-FrontendTransportService | Set-FrontendTransportService -IntraOrgConnectorProtocolLoggingLevel Verbose'
    ) as command
from no_frontend_send_log as r
left join literals as n on r.server = n.name and n.is_server
union all
select
    organisation, server, null as connector, 'smtp-send' as log_kind, hour, 0 as lines, null as first_time,
    null as last_time, null as shows, 'refusals are not visible but where message tracking quotes them' as gap,
    'Get-SendConnector | Set-SendConnector -ProtocolLoggingLevel Verbose' as command
from no_send_log_at_all
