-- title: Protocol log rows by server, connector and hour
-- answers: In which hours a connector's protocol log is there.
-- kept: a pass over all protocol rows
-- columns:
--   organisation: id of the organisation
--   server: server whose log it is, first label in capitals; null where nothing names it
--   log_kind: smtp-receive or smtp-send
--   log_service: transport service that wrote the log
--   connector: connector
--   hour: hour, UTC
--   lines: rows
--   first_time: first row, UTC
--   last_time: last row, UTC
--   relays: whether the connector takes mail that the front end passes on to the outside (port 717)
with raw as (
    select
        organisation, server, case when server is null then local_ip end as ip, log_kind, log_service, connector_id,
        floor(epoch(date_time) / 3600) as hour_number, count(*) as lines, min(date_time) as first_time,
        max(date_time) as last_time, bool_or(local_port = 717 and log_kind = 'smtp-receive') as on_relay_port
    from smtp_protocol
    group by
        organisation, server, case when server is null then local_ip end, log_kind, log_service, connector_id,
        floor(epoch(date_time) / 3600)
)

select
    r.organisation, coalesce(upper(split_part(r.server, '.', 1)), a.server) as server, r.log_kind, r.log_service,
    r.connector_id as connector, date_trunc('hour', min(r.first_time)) as hour, cast(sum(r.lines) as bigint) as lines,
    min(r.first_time) as first_time, max(r.last_time) as last_time,
    coalesce(bool_or(r.on_relay_port or (r.log_kind = 'smtp-receive' and r.connector_id like '%Outbound Proxy%')), false) as relays
from raw as r
left join server_addresses as a on r.organisation = a.organisation and r.ip = a.ip
group by
    r.organisation, coalesce(upper(split_part(r.server, '.', 1)), a.server), r.log_kind, r.log_service, r.connector_id,
    r.hour_number
