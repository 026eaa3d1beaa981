-- title: How refused messages came into the organisation
-- answers: By which source, Receive connector and client each refused message was submitted on the server that handed it over.
-- kept: a pass over tracking for the refused ids
-- columns:
--   organisation: id of the organisation
--   server: server that handed over
--   message_key: message id in lower case without brackets
--   submitted_by: source of the RECEIVE row, such as SMTP or STOREDRIVER
--   received_by: Receive connector
--   client: client host in lower case
--   client_ip: address of the client, the original one where a proxy stands between
with refused as (
    select organisation, server, message_key, min(message_id) as message_id
    from refusal_events
    where server is not null
    group by organisation, server, message_key
),

-- logs spell an id with angle brackets or without
ids as (
    select organisation, server, message_key, message_id as id from refused where message_id is not null
    union
    select organisation, server, message_key, trim(message_id, '<> ') as id from refused where message_id is not null
    union
    select organisation, server, message_key, '<' || trim(message_id, '<> ') || '>' as id from refused
    where message_id is not null
)

select
    i.organisation, i.server, i.message_key, min(t.source) as submitted_by, min(t.connector_id) as received_by,
    min(lower(t.client_hostname)) as client, min(coalesce(t.original_client_ip, t.client_ip)) as client_ip
from ids as i
inner join message_tracking as t
    on i.organisation = t.organisation and i.id = t.message_id and i.server = upper(split_part(t.server, '.', 1))
where t.event_id = 'RECEIVE'
group by i.organisation, i.server, i.message_key
