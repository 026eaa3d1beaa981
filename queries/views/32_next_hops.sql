-- title: Next hops in tracking
-- answers: To which hosts each server hands mail by SMTP.
-- kept: a pass over the SEND rows of tracking
-- columns:
--   organisation: id of the organisation
--   server: server that handed over, first label in capitals
--   connector: Send connector
--   next_hop: host, lower case
--   domain: registrable domain of the host
--   ip: address of the host
--   to_exchange_online: whether the host is one of Exchange Online
--   messages: SEND rows
--   first_time: first, UTC
--   last_time: last, UTC
with raw as (
    select
        organisation, server, connector_id, peer_name, peer_domain, server_ip, destination_class, count(*) as messages,
        min(date_time) as first_time, max(date_time) as last_time
    from message_tracking
    where event_id in ('SEND', 'SENDEXTERNAL')
    group by organisation, server, connector_id, peer_name, peer_domain, server_ip, destination_class
)

select
    organisation, upper(split_part(server, '.', 1)) as server, connector_id as connector, lower(peer_name) as next_hop,
    max(peer_domain) as domain, server_ip as ip, coalesce(destination_class = 'exchange-online', false) as to_exchange_online,
    cast(sum(messages) as bigint) as messages, min(first_time) as first_time, max(last_time) as last_time
from raw
group by
    organisation, upper(split_part(server, '.', 1)), connector_id, lower(peer_name), server_ip,
    coalesce(destination_class = 'exchange-online', false)
