-- title: Lines that hold a refusal, with what their session or row says about the message
-- answers: Which lines hold a refusal of transport-based enforcement, before they are united into refusals.
-- columns:
--   time: when the line was written, UTC
--   organisation: id of the organisation
--   server: server whose log holds the line, first label in capitals; null where nothing names it
--   log_kind: message-tracking, smtp-send or smtp-receive
--   log_service: transport service that wrote the log
--   event: tracking event id, or < and > of a protocol log
--   connector: connector of the row
--   session_id: SMTP session of a protocol row
--   transaction: number of the message in its session, from 1
--   message_id: id of the refused message, as the log spells it; null where the log does not say it
--   network_message_id: id that all copies share, 2013 and later
--   sender: sender of the refused message, <> for the null sender
--   envelope_sender: envelope sender in lower case, <> for the null sender
--   recipients: recipients joined with ;
--   reply_code: three-digit code
--   enhanced_code: enhanced status code
--   action: throttle or block, by the words; by the code where the words are missing
--   permanent: whether the code is 5xx, so that the message is not tried again
--   words_known: whether the reply has the words of the action
--   minutes_per_hour: minutes per hour that the reply names
--   reply: the reply's own words
--   exchange_online_host: host of Exchange Online in the reply
--   peer_time: clock of Exchange Online in the reply's bracket, UTC
--   destination: next hop, lower case; tracking only
--   peer_server: server that connected to us, smtp-receive only, first label in capitals
--   attempt_time: start of the attempt (MAIL command), UTC; null in tracking
--   quotes_older: whether the row quotes a reply that came earlier (DSN, expiry)
--   server_by_address: whether server was found by the local address
--   source_id: identity of the source
--   source_file: path of the source
--   source_line: line number
with tracking as (
    select
        t.*,
        case when event_id = 'DSN' then nullif(split_part(reference, ';', 1), '') else message_id end as refused_id,
        case when event_id = 'DSN' then recipient_address else coalesce(sender_address, return_path, '<>') end
            as refused_sender,
        case when event_id = 'DSN' then recipient_address else coalesce(return_path, sender_address, '<>') end
            as refused_envelope
    from message_tracking as t
    where enforcement_action is not null
),

lines as (
    select
        date_time, organisation, upper(split_part(server, '.', 1)) as server, 'message-tracking' as log_kind,
        log_service, event_id as event, connector_id as connector, cast(null as varchar) as session_id,
        cast(null as bigint) as transaction, refused_id, network_message_id, refused_sender,
        lower(refused_envelope) as envelope_sender,
        case when event_id <> 'DSN' then recipient_address end as recipients, reply_code, enhanced_code,
        enforcement_action, enforcement_minutes, reply, reply_host, peer_time,
        lower(peer_name) as destination, cast(null as varchar) as peer_server,
        cast(null as timestamptz) as attempt_time, false as server_by_address,
        destination_class, source_id, source_file, source_line
    from tracking
    union all
    select
        date_time, organisation, log_server as server, log_kind, log_service, event, connector_id as connector,
        session_id, transaction, refused_id, cast(null as varchar) as network_message_id, refused_sender,
        lower(refused_sender) as envelope_sender, recipients, reply_code, enhanced_code, enforcement_action,
        enforcement_minutes, reply, reply_host, peer_time, cast(null as varchar) as destination,
        case when log_kind = 'smtp-receive' then upper(split_part(session_ehlo, '.', 1)) end as peer_server,
        mail_time as attempt_time, server_by_address,
        destination_class, source_id, source_file, source_line
    from session_refusals
),

judged as (
    select
        *,
        case
            when enforcement_action in ('throttle', 'block') then enforcement_action
            when enhanced_code like '5.%' or reply_code >= 500 then 'block'
            else 'throttle'
        end as action,
        case
            when enhanced_code like '5.%' then true
            when enhanced_code like '4.%' then false
            when reply_code is not null then reply_code >= 500
            else enforcement_action = 'block'
        end as permanent
    from lines
    -- the code without its words is enforcement only where the next hop is Exchange Online
    where enforcement_action in ('throttle', 'block') or destination_class = 'exchange-online'
        or reply_host is not null
)

select
    date_time as time, organisation, server, log_kind, log_service, event, connector, session_id, transaction,
    refused_id as message_id, network_message_id, refused_sender as sender, envelope_sender, recipients,
    reply_code, enhanced_code, action, permanent, enforcement_action in ('throttle', 'block') as words_known,
    enforcement_minutes as minutes_per_hour, reply, reply_host as exchange_online_host, peer_time, destination,
    peer_server, attempt_time,
    log_kind = 'message-tracking' and (event = 'DSN' or (event = 'FAIL' and not permanent)) as quotes_older,
    server_by_address, source_id, source_file, source_line
from judged
