-- title: What the refused messages of a server share
-- answers: By which connector, submission and client refused messages came, to find the path that stamps an old build.
-- columns:
--   organisation: id of the organisation
--   server: server that handed over
--   since: refusals from here on are looked at: the build was accepted then, UTC; null = all refusals
--   refused_messages: refused messages
--   with_origin: refused messages whose way into the server is in tracking
--   connector: Send connector of all of them; null where it differs
--   submitted_by: component that took all of them in (source of the RECEIVE row, such as PICKUP or SMTP); null where it differs
--   received_by: Receive connector of all of them; null where it differs
--   client: client or server that submitted all of them; null where it differs
--   client_ip: its address; null where it differs
--   from_server: server of the organisation that this client is, first label in capitals
--   from_server_build: lowest build of that server in the logs
--   is_older_server: whether that is another server than this one, with an older build
--   shared: the same in words
-- materialised: small
with episodes as (
    select organisation, server, max(accepted_from + case when below_before is null
        then 0 else 86400 end) as accepted_from
    from server_episodes
    group by organisation, server
),

refused as (
    select
        e.organisation, e.server, e.message_key, min(e.message_id) as message_id, min(e.connector) as connector,
        min(case when e.time >= to_timestamp(s.accepted_from) then to_timestamp(s.accepted_from) end) as since
    from refusal_events as e
    left join episodes as s on e.organisation = s.organisation and e.server = s.server
    where e.server is not null
    group by e.organisation, e.server, e.message_key
),

latest as (
    select organisation, server, max(since) as since from refused group by organisation, server
),

counted as (
    select r.*
    from refused as r
    inner join latest as l on r.organisation = l.organisation and r.server = l.server
    where l.since is null or r.since is not null
),

shared as (
    select
        c.organisation, c.server, max(c.since) as since, count(*) as refused_messages,
            count(o.message_key) as with_origin,
        case when count(distinct coalesce(c.connector, '')) = 1 then min(c.connector) end as connector,
        case when count(distinct coalesce(o.submitted_by, '')) = 1 then min(o.submitted_by) end as submitted_by,
        case when count(distinct coalesce(o.received_by, '')) = 1 then min(o.received_by) end as received_by,
        case when count(distinct coalesce(o.client, '')) = 1 then min(o.client) end as client,
        case when count(distinct coalesce(o.client_ip, '')) = 1 then min(o.client_ip) end as client_ip
    from counted as c
    left join refusal_origins as o
        on c.organisation = o.organisation and c.server = o.server and c.message_key = o.message_key
    group by c.organisation, c.server
),

builds as (
    select b.organisation, b.server, min_by(b.build, f.build_key) as build, min(f.build_key) as build_key
    from server_builds as b
    inner join build_facts as f on b.build = f.build
    group by b.organisation, b.server
)

select
    s.organisation, s.server, s.since, s.refused_messages, s.with_origin, s.connector, s.submitted_by, s.received_by,
        s.client,
    s.client_ip, b.server as from_server, b.build as from_server_build,
    coalesce(b.server <> s.server and b.build_key < o.build_key, false) as is_older_server,
    nullif(
        concat_ws(
            ', ',
            case when s.connector is not null then 'connector ' || s.connector end,
            case when s.submitted_by is not null then 'submitted by ' || s.submitted_by end,
            case when s.received_by is not null then 'received by ' || s.received_by end,
            case when s.client is not null then 'client ' || s.client end,
            case when s.client_ip is not null then 'address ' || s.client_ip end,
            case when b.build is not null and b.server <> s.server then 'which is the server ' || b.server
                || ' with build ' || b.build end
        ),
        ''
    ) as shared
from shared as s
left join builds as b on s.organisation = b.organisation and upper(split_part(s.client, '.', 1)) = b.server
left join builds as o on s.organisation = o.organisation and s.server = o.server
