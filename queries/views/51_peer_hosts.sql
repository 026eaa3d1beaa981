-- title: Peers and their signals
-- answers: Every host on the other side, with its addresses, names and the signals that it gives.
-- columns:
--   organisation: id of the organisation whose logs show it
--   direction: connects to us, or we connect to it
--   peer: name in lower case; its address where it says no full name; all hosts of Exchange Online are one peer
--   domain: registrable domain of the name
--   sessions: SMTP sessions in protocol logs
--   messages: messages, by protocol logs or by tracking, whichever shows more
--   first_seen: first, UTC
--   last_seen: last, UTC
--   exchange_online: whether it is Exchange Online
--   local_probe: whether it talks over the loopback address only
--   says_link_state: X-LINK2STATE in its EHLO reply
--   says_shadow_request: XSHADOWREQUEST in its EHLO reply
--   says_shadow: XSHADOW alone in its EHLO reply
--   says_exch50: XEXCH50 in its EHLO reply
--   says_rdst: XRDST in its EHLO reply
--   says_smtputf8: SMTPUTF8 in its EHLO reply
--   says_exchange: X-ANONYMOUSTLS or X-EXPS in its EHLO reply
--   banner_exchange: Microsoft ESMTP MAIL Service in its banner, without a version
--   banner_windows: Microsoft ESMTP MAIL Service with a version in its banner
--   reply_hostname: Hostname= in its answer to a message
--   reply_internal_id: InternalId= without Hostname= in its answer to a message
--   sends_proxy: it sent XPROXYFROM or XPROXY
--   sends_exchange_auth: it sent X-EXPS or X-ANONYMOUSTLS
--   sends_message_value: XMESSAGEVALUE=, AUTH=<> or XSHADOW= in its MAIL
--   older_until: last session that only an older generation explains, UTC; null where there is none
--   newest_since: first session of the newest generation seen, UTC
--   older_generation: that older generation
--   own_server: server of the organisation that it is, first label in capitals
--   domain_owner: organisation of the store that owns the domain
--   addresses: addresses, joined with , (at most 20)
--   address_count: different addresses
--   ehlo_names: names it gave, joined with , (at most 20)
--   tls_versions: TLS versions agreed, joined with ,
with named_sessions as (
    select
        *, case when log_kind = 'smtp-receive' then 'connects to us' else 'we connect to it' end as direction,
        case
            when exchange_online then 'Exchange Online'
            when contains(peer_name, '.') and not peer_name like '[%' then peer_name
            else coalesce(remote_ip, peer_name)
        end as peer,
        -- the generations that a session's signals leave: 1 = 2000 and 2003, 2 = 2007, 3 = 2010, 4 = 2013 and 2016, 5 = 2019 and SE
        greatest(
            case when says_link_state or (says_exch50 and not says_rdst) then 1 end,
            case when reply_internal_id or says_exchange then 2 end,
            case when says_shadow or sends_message_value then 3 end,
            case when says_shadow_request or sends_proxy or reply_hostname or (says_rdst and not says_exch50) then 4 end,
            case when says_smtputf8 and (says_exchange or banner_exchange or says_rdst) then 5 end
        ) as lowest,
        least(
            case when says_link_state then 1 end,
            case when says_exch50 and not says_rdst and not says_shadow then 2 end,
            case when reply_internal_id or says_shadow then 3 end,
            5
        ) as highest
    from smtp_sessions
),

-- signals that exclude each other in one session tell nothing of a change
newest as (
    select organisation, direction, peer, max(lowest) as lowest
    from named_sessions
    where not exchange_online and lowest <= highest
    group by organisation, direction, peer
),

-- a server that was updated within the logs, or another one under its name: what it said before is not its generation
sessions as materialized (
    select
        s.*, coalesce(s.lowest <= s.highest and s.highest < n.lowest, false) as is_older,
        coalesce(s.lowest <= s.highest and s.lowest = n.lowest, false) as is_newest
    from named_sessions as s
    left join newest as n on s.organisation = n.organisation and s.direction = n.direction and s.peer = n.peer
),

hops as materialized (
    select
        *, case when to_exchange_online then 'Exchange Online' else coalesce(next_hop, ip) end as peer
    from next_hops
),

-- own servers: by address, or by name where the name has no public domain or one of the organisation's
own_servers as (
    select distinct organisation, server from server_builds
),

own_addresses as (
    select organisation, local_ip as ip, min(server) as server
    from sessions
    where server is not null and local_ip is not null
    group by organisation, local_ip
    having count(distinct server) = 1
),

hosts as (
    select
        s.organisation, s.direction, s.peer, max(s.peer_domain) as domain, count(*) as sessions, sum(s.messages) as messages,
        min(s.first_time) as first_seen, max(s.last_time) as last_seen, bool_or(s.exchange_online) as exchange_online,
        bool_and(coalesce(s.remote_ip like '127.%' or s.remote_ip = '::1', false)) as local_probe,
        bool_or(s.says_link_state and not s.is_older) as says_link_state, bool_or(s.says_shadow_request and not s.is_older) as says_shadow_request,
        bool_or(s.says_shadow and not s.is_older) as says_shadow, bool_or(s.says_exch50 and not s.is_older) as says_exch50, bool_or(s.says_rdst and not s.is_older) as says_rdst,
        bool_or(s.says_smtputf8 and not s.is_older) as says_smtputf8, bool_or(s.says_exchange and not s.is_older) as says_exchange,
        bool_or(s.banner_exchange and not s.is_older) as banner_exchange, bool_or(s.banner_windows and not s.is_older) as banner_windows,
        bool_or(s.reply_hostname and not s.is_older) as reply_hostname, bool_or(s.reply_internal_id and not s.is_older) as reply_internal_id,
        bool_or(s.sends_proxy and not s.is_older) as sends_proxy, bool_or(s.sends_exchange_auth and not s.is_older) as sends_exchange_auth,
        bool_or(s.sends_message_value and not s.is_older) as sends_message_value,
        max(case when s.is_older then s.last_time end) as older_until,
        min(case when s.is_newest then s.first_time end) as newest_since,
        max_by(
            case
                when s.highest = 1 then '2000 or 2003'
                when s.lowest = 1 then '2003 or 2007'
                when s.highest = 2 then '2007'
                when s.lowest = 2 then '2007 or 2010'
                when s.highest = 3 then '2010'
                else '2013 or later'
            end,
            case when s.is_older then s.last_time end
        ) as older_generation
    from sessions as s
    where s.peer is not null
    group by s.organisation, s.direction, s.peer
    union all
    select
        h.organisation, 'we connect to it', h.peer, max(h.domain), 0, sum(h.messages), min(h.first_time), max(h.last_time),
        bool_or(h.to_exchange_online), false, false, false, false, false, false, false, false, false, false, false, false,
        false, false, false, null, null, null
    from hops as h
    where h.peer is not null
    group by h.organisation, h.peer
),

named as (
    select organisation, direction, peer, lower(peer_name) as name, remote_ip as ip, tls_version as tls from sessions
    union
    select organisation, 'we connect to it', peer, next_hop, ip, cast(null as varchar) from hops
),

addresses as (
    select
        organisation, direction, peer, count(*) as address_count,
        string_agg(case when nth <= 20 then ip end, ', ' order by ip) as addresses
    from (
        select *, row_number() over (partition by organisation, direction, peer order by ip) as nth
        from (
            -- mail that a front end passes on carries the front end's address beside the name of Exchange Online
            select distinct n.organisation, n.direction, n.peer, n.ip
            from named as n
            left join own_addresses as a on n.organisation = a.organisation and n.ip = a.ip and n.peer = 'Exchange Online'
            where n.ip is not null and a.ip is null
        ) as distinct_ips
    ) as numbered
    group by organisation, direction, peer
),

names as (
    select
        organisation, direction, peer, string_agg(case when nth <= 20 then name end, ', ' order by name) as ehlo_names
    from (
        select *, row_number() over (partition by organisation, direction, peer order by name) as nth
        from (select distinct organisation, direction, peer, name from named where name is not null) as distinct_names
    ) as numbered
    group by organisation, direction, peer
),

tls as (
    select organisation, direction, peer, string_agg(distinct tls, ', ' order by tls) as tls_versions
    from named
    where tls is not null
    group by organisation, direction, peer
),

domains as (
    select lower(domain) as domain, min(organisation) as organisation from organisation_domains group by lower(domain)
),

own_by_address as (
    select n.organisation, n.direction, n.peer, min(a.server) as server
    from named as n
    inner join own_addresses as a on n.organisation = a.organisation and n.ip = a.ip
    where n.peer <> 'Exchange Online'
    group by n.organisation, n.direction, n.peer
),

merged as (
    select
        organisation, direction, peer, max(domain) as domain, sum(sessions) as sessions, max(messages) as messages,
        min(first_seen) as first_seen, max(last_seen) as last_seen, bool_or(exchange_online) as exchange_online,
        bool_or(local_probe) as local_probe, bool_or(says_link_state) as says_link_state,
        bool_or(says_shadow_request) as says_shadow_request, bool_or(says_shadow) as says_shadow,
        bool_or(says_exch50) as says_exch50, bool_or(says_rdst) as says_rdst, bool_or(says_smtputf8) as says_smtputf8,
        bool_or(says_exchange) as says_exchange, bool_or(banner_exchange) as banner_exchange,
        bool_or(banner_windows) as banner_windows, bool_or(reply_hostname) as reply_hostname,
        bool_or(reply_internal_id) as reply_internal_id, bool_or(sends_proxy) as sends_proxy,
        bool_or(sends_exchange_auth) as sends_exchange_auth, bool_or(sends_message_value) as sends_message_value,
        max(older_until) as older_until, min(newest_since) as newest_since, max(older_generation) as older_generation
    from hosts
    group by organisation, direction, peer
)

select
    m.*,
    coalesce(
        a.server,
        case
            when not m.exchange_online and (m.domain is null or d.organisation = m.organisation) then o.server
        end
    ) as own_server,
    d.organisation as domain_owner, i.addresses, coalesce(i.address_count, 0) as address_count, n.ehlo_names,
    t.tls_versions
from merged as m
left join own_by_address as a on m.organisation = a.organisation and m.direction = a.direction and m.peer = a.peer
left join domains as d on m.domain = d.domain
left join own_servers as o on m.organisation = o.organisation and upper(split_part(m.peer, '.', 1)) = o.server
left join addresses as i on m.organisation = i.organisation and m.direction = i.direction and m.peer = i.peer
left join names as n on m.organisation = n.organisation and m.direction = n.direction and m.peer = n.peer
left join tls as t on m.organisation = t.organisation and m.direction = t.direction and m.peer = t.peer
