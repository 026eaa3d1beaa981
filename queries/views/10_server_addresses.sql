-- title: Which server an address belongs to
-- answers: Which server wrote a Send log that names none, found by its local address.
-- kept: asked for by many views
-- columns:
--   organisation: id of the organisation
--   server: server that owns the address, first label of its name in capitals
--   ip: address, only those that logs without a server name use and that belong to exactly one server
-- Receive logs say their own address; in tracking a SEND row's client is the writer itself.
with needed as (
    select distinct organisation, local_ip as ip
    from smtp_protocol
    where server is null and log_kind = 'smtp-send' and local_ip is not null
        and local_ip not like '127.%' and local_ip <> '::1'
),

seen as (
    select p.organisation, upper(split_part(p.server, '.', 1)) as server, p.local_ip as ip
    from smtp_protocol as p
    inner join needed as n on p.organisation = n.organisation and p.local_ip = n.ip
    where p.server is not null
    union all
    select t.organisation, upper(split_part(t.server, '.', 1)) as server, t.client_ip as ip
    from message_tracking as t
    inner join needed as n on t.organisation = n.organisation and t.client_ip = n.ip
    where t.event_id in ('SEND', 'SENDEXTERNAL') and t.server is not null
)

select organisation, min(server) as server, ip
from seen
group by organisation, ip
having count(distinct server) = 1
