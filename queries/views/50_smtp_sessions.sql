-- title: SMTP sessions
-- answers: Who talked to whom in each SMTP session, and what gives an Exchange server away in it.
-- columns:
--   organisation: id of the organisation
--   log_kind: smtp-receive or smtp-send
--   log_service: transport service that wrote the log
--   server: server whose log it is, first label in capitals; null where unknown
--   session_id: session
--   connector: connector
--   first_time: first row, UTC
--   last_time: last row, UTC
--   local_ip: address of this server
--   remote_ip: address of the peer
--   peer_name: name of the peer in lower case: EHLO name (Receive) or banner host (Send)
--   peer_domain: registrable domain of that name
--   exchange_online: whether the peer is Exchange Online
--   messages: messages accepted in it
--   tls_version: newest TLS version agreed
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
-- texts only where they can tell something: patterns cost nothing on nulls
with marked as (
    select
        *,
        case when log_kind = 'smtp-send' and event = '<' and data like '250%' then data end as greeting,
        case when log_kind = 'smtp-send' and event = '<' and data like '220%' then data end as banner,
        case when log_kind = 'smtp-receive' and event = '<' and verb = 'MAIL' then data end as mail_command,
        case when log_kind = 'smtp-receive' and event = '<' and data like 'X-%' then data end as own_command
    from smtp_protocol
    where session_id is not null
),

raw as (
    select
        organisation, log_kind, log_service, server, session_id, min(connector_id) as connector,
        min(date_time) as first_time, max(date_time) as last_time, max(local_ip) as local_ip, max(remote_ip) as remote_ip,
        max(case when event = '<' then peer_name end) as peer_name,
        max(case when event = '<' then peer_domain end) as peer_domain,
        bool_or(destination_class = 'exchange-online') as exchange_online,
        count(
            case
                when reply_code = 250 and message_id is not null
                    and event = case when log_kind = 'smtp-send' then '<' else '>' end then 1
            end
        ) as messages,
        max(tls_version) as tls_version,
        bool_or(greeting like '%X-LINK2STATE%') as says_link_state,
        bool_or(greeting like '%XSHADOWREQUEST%') as says_shadow_request,
        bool_or(replace(greeting, 'XSHADOWREQUEST', '') like '%XSHADOW%') as says_shadow,
        bool_or(greeting like '%XEXCH50%') as says_exch50,
        bool_or(greeting like '%XRDST%') as says_rdst,
        bool_or(greeting like '%SMTPUTF8%') as says_smtputf8,
        bool_or(greeting like '%X-ANONYMOUSTLS%' or greeting like '%X-EXPS%') as says_exchange,
        bool_or(banner like '%Microsoft ESMTP MAIL Service%' and banner not like '%Service, Version:%') as banner_exchange,
        bool_or(banner like '%Microsoft ESMTP MAIL Service, Version:%') as banner_windows,
        bool_or(greeting like '%[InternalId=%Hostname=%') as reply_hostname,
        bool_or(greeting like '%[InternalId=%' and greeting not like '%Hostname=%') as reply_internal_id,
        bool_or(case when log_kind = 'smtp-receive' then verb in ('XPROXYFROM', 'XPROXY') end) as sends_proxy,
        bool_or(own_command like 'X-EXPS%' or own_command like 'X-ANONYMOUSTLS%') as sends_exchange_auth,
        bool_or(
            mail_command like '%XMESSAGEVALUE=%' or mail_command like '%AUTH=<>%' or mail_command like '%XSHADOW=%'
        ) as sends_message_value
    from marked
    group by organisation, log_kind, log_service, server, session_id
)

select
    organisation, log_kind, log_service, upper(split_part(server, '.', 1)) as server, session_id, connector, first_time,
    last_time, local_ip, remote_ip, lower(peer_name) as peer_name, peer_domain,
    coalesce(exchange_online, false) as exchange_online, messages, tls_version,
    coalesce(says_link_state, false) as says_link_state, coalesce(says_shadow_request, false) as says_shadow_request,
    coalesce(says_shadow, false) as says_shadow, coalesce(says_exch50, false) as says_exch50,
    coalesce(says_rdst, false) as says_rdst, coalesce(says_smtputf8, false) as says_smtputf8,
    coalesce(says_exchange, false) as says_exchange, coalesce(banner_exchange, false) as banner_exchange,
    coalesce(banner_windows, false) as banner_windows, coalesce(reply_hostname, false) as reply_hostname,
    coalesce(reply_internal_id, false) as reply_internal_id, coalesce(sends_proxy, false) as sends_proxy,
    coalesce(sends_exchange_auth, false) as sends_exchange_auth,
    coalesce(sends_message_value, false) as sends_message_value
from raw
