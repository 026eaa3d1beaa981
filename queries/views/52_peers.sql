-- title: Peers
-- answers: Every host that connects to us or that we connect to, and what is known of it as an Exchange server.
-- columns:
--   organisation: id of the organisation whose logs show it
--   direction: connects to us, or we connect to it
--   peer: name in lower case; its address where it says no full name; all hosts of Exchange Online are one peer
--   own_server: whether it is a server of the organisation whose logs are here
--   local_probe: whether it talks over the loopback address only (health probes)
--   domain: registrable domain of the name
--   sending_organisation: id of the organisation that owns the domain, where organisations.toml says so, else the domain
--   addresses: addresses, joined with , (at most 20)
--   address_count: different addresses
--   ehlo_names: names it gave, joined with , (at most 20); a claim, not an identity
--   sessions: SMTP sessions in protocol logs
--   messages: messages, by protocol logs or by tracking, whichever shows more
--   tls_versions: TLS versions agreed, joined with ,
--   first_seen: first, UTC
--   last_seen: last, UTC
--   is_exchange: yes, likely or unknown
--   generation: what its signals allow; null where they tell nothing; never a build
--   earlier_generation: what it said before it was updated or replaced; null where it always said the same
--   generation_since: first session with the present generation where it was another before, UTC
--   signals: signals of the present generation with their strength, joined with ;
--   build: exact build, only where its own tracking log in the same organisation proves it
--   build_evidence: what proves the build
with builds as (
    select organisation, server, max_by(build, last_seen) as build
    from server_builds
    where build is not null
    group by organisation, server
)

select
    p.organisation, p.direction, p.peer, p.own_server is not null as own_server, p.local_probe, p.domain,
    coalesce(p.domain_owner, p.domain) as sending_organisation, p.addresses, p.address_count,
    p.ehlo_names, cast(p.sessions as bigint) as sessions, cast(p.messages as bigint) as messages, p.tls_versions,
    p.first_seen, p.last_seen,
    case
        when p.exchange_online or b.build is not null or p.says_link_state or p.says_shadow or p.says_shadow_request
            or p.sends_proxy or p.sends_exchange_auth or (p.says_smtputf8 and p.says_exchange) then 'yes'
        when p.says_exchange or p.says_exch50 or p.says_rdst or p.banner_exchange or p.reply_hostname
            or p.reply_internal_id or p.sends_message_value then 'likely'
        else 'unknown'
    end as is_exchange,
    case
        when p.exchange_online then 'Exchange Online'
        when p.says_link_state then '2000 or 2003'
        when p.says_shadow then '2010'
        when p.says_smtputf8 and (p.says_exchange or p.banner_exchange or p.says_rdst) then '2019 or SE'
        when p.says_shadow_request or p.sends_proxy or p.reply_hostname then '2013 or later'
        when p.says_rdst and not p.says_exch50 then '2013 or later'
        when p.says_exch50 and not p.says_rdst then '2003 or 2007'
        when p.reply_internal_id then '2007 or 2010'
        when p.sends_message_value then '2010 or later'
        when p.says_exchange then '2007 or later'
    end as generation,
    p.older_generation as earlier_generation, case when p.older_generation is not null then p.newest_since end as generation_since,
    nullif(
        concat_ws(
            '; ',
            case
                when p.older_until >= p.newest_since
                    then 'answers as ' || p.older_generation || ' too: more than one host has this name'
            end,
            case when p.says_link_state then 'X-LINK2STATE in the EHLO reply: 2000 or 2003 (strong)' end,
            case when p.says_shadow then 'XSHADOW in the EHLO reply: 2010 (strong)' end,
            case when p.says_shadow_request then 'XSHADOWREQUEST in the EHLO reply: 2013 or later (strong)' end,
            case
                when p.says_smtputf8 and (p.says_exchange or p.banner_exchange or p.says_rdst)
                    then 'SMTPUTF8 in the EHLO reply of an Exchange server: 2019, SE or Exchange Online (strong)'
            end,
            case when p.says_exch50 and not p.says_rdst and not p.says_shadow then 'XEXCH50 without XRDST: 2003 or 2007 (medium)' end,
            case when p.says_rdst and not p.says_exch50 then 'XRDST without XEXCH50: 2013 or later (medium)' end,
            case when p.says_exchange then 'X-ANONYMOUSTLS or X-EXPS in the EHLO reply: 2007 or later (medium)' end,
            case when p.sends_proxy then 'sends XPROXYFROM or XPROXY: a front end of 2013 or later (strong)' end,
            case when p.sends_exchange_auth then 'authenticates as an Exchange server: of the organisation, any generation (strong)' end,
            case when p.sends_message_value then 'XMESSAGEVALUE, AUTH=<> or XSHADOW in MAIL: 2010 or later (medium)' end,
            case when p.reply_hostname then 'InternalId and Hostname in its answers: 2013 or later (medium)' end,
            case when p.reply_internal_id then 'InternalId without Hostname in its answers: 2007 or 2010 (medium)' end,
            case when p.banner_windows then 'banner with a version: IIS SMTP, 2000, 2003 or a Windows relay (medium)' end,
            case when p.banner_exchange then 'Microsoft banner: 2007 or later, or Exchange Online (weak)' end
        ),
        ''
    ) as signals,
    b.build, case when b.build is not null then 'tracking log of ' || p.own_server || ' in this store' end as build_evidence
from peer_hosts as p
left join builds as b on p.organisation = b.organisation and p.own_server = b.server
