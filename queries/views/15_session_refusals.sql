-- title: Refusals in protocol logs, with the message their session names
-- answers: Which message a refusal in a protocol log is about.
-- columns:
--   organisation: id of the organisation
--   server: server as the base row has it
--   log_kind: smtp-send or smtp-receive
--   log_service: transport service that wrote the log
--   connector_id: connector
--   session_id: SMTP session
--   transaction: number of the message in its session, from 1
--   sequence_number: order in the session
--   date_time: when the line was written, UTC
--   event: < or >
--   reply: the reply's own words
--   reply_code: three-digit code
--   enhanced_code: enhanced status code
--   enforcement_action: throttle, block or unknown
--   enforcement_minutes: minutes per hour that the reply names
--   reply_host: host of Exchange Online in the reply
--   peer_time: clock of Exchange Online in the reply, UTC
--   destination_class: exchange-online where row or session says so
--   session_ehlo: EHLO name in the session
--   mail_time: when MAIL was sent, UTC
--   source_id: identity of the source
--   source_file: path of the source
--   source_line: line number
--   refused_id: message id; null where the log does not say it
--   refused_sender: envelope sender, <> for the null sender
--   recipients: recipients of the message, joined with ;
--   log_server: server, by its name or its local address, first label in capitals
--   server_by_address: whether the address told it
with refused_sessions as (
    select distinct organisation, session_id
    from smtp_protocol
    where enforcement_action is not null
),

-- one session writes one log: the same id on another server, service or kind is another session
session_rows as (
    select
        p.*,
        sum(case when p.verb = 'MAIL' then 1 else 0 end) over to_here as transaction,
        max(case when p.verb = 'MAIL' then p.sequence_number end) over to_here as mail_at,
        max(case when p.verb = 'MAIL' then p.date_time end) over to_here as mail_time,
        last_value(case when p.verb = 'MAIL' then p.data end ignore nulls) over to_here as mail_command,
        last_value(case when p.event = '*' then p.message_id end ignore nulls) over to_here as id_before,
        max(case when p.event = '*' and p.message_id is not null then p.sequence_number end) over to_here as id_at,
        max(p.ehlo_name) over whole as session_ehlo,
        max(p.destination_class) over whole as session_class
    from smtp_protocol as p
    inner join refused_sessions as s on p.organisation = s.organisation and p.session_id = s.session_id
    where p.enforcement_action is not null or p.verb in ('MAIL', 'RCPT', 'EHLO', 'HELO')
        or (p.event = '*' and p.message_id is not null) or p.destination_class is not null
    window
        to_here as (
            partition by p.organisation, p.log_kind, p.server, p.log_service, p.session_id
            order by p.sequence_number, p.date_time, p.source_line
            rows between unbounded preceding and current row
        ),
        whole as (partition by p.organisation, p.log_kind, p.server, p.log_service, p.session_id)
),

recipients as (
    select
        organisation, log_kind, coalesce(server, '') as server_or_none, coalesce(log_service, '') as service_or_none,
        session_id, transaction,
        string_agg(regexp_extract(data, '(?i)TO: *<([^>]*)>', 1), ';' order by sequence_number) as recipients
    from session_rows
    where verb = 'RCPT'
    group by
        organisation, log_kind, coalesce(server, ''), coalesce(log_service, ''), session_id, transaction
)

-- a Send log names the message before MAIL, a Receive log after it
select
    r.organisation, r.server, r.log_kind, r.log_service, r.connector_id, r.session_id, r.transaction, r.sequence_number,
    r.date_time, r.event, r.reply, r.reply_code, r.enhanced_code, r.enforcement_action, r.enforcement_minutes, r.reply_host,
    r.peer_time, coalesce(r.destination_class, r.session_class) as destination_class, r.session_ehlo, r.mail_time,
    r.source_id, r.source_file, r.source_line,
    case when r.log_kind = 'smtp-send' or r.id_at > r.mail_at then r.id_before end as refused_id,
    case
        when r.mail_command is null then null
        else coalesce(nullif(regexp_extract(r.mail_command, '(?i)FROM: *<([^>]*)>', 1), ''), '<>')
    end as refused_sender,
    n.recipients,
    coalesce(upper(split_part(r.server, '.', 1)), a.server) as log_server,
    r.server is null and a.server is not null as server_by_address
from session_rows as r
left join recipients as n
    on r.organisation = n.organisation and r.log_kind = n.log_kind and r.session_id = n.session_id
    and coalesce(r.server, '') = n.server_or_none and coalesce(r.log_service, '') = n.service_or_none
    and r.transaction = n.transaction
left join server_addresses as a
    on r.organisation = a.organisation and r.local_ip = a.ip and r.server is null
where r.enforcement_action is not null
