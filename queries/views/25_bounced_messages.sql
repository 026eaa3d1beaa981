-- title: Messages that a block refused for good
-- answers: Every message that was refused for good, and to whom it must be sent again.
-- inline: few readers need all columns
-- columns:
--   organisation: id of the organisation
--   server: server that handed it over; null where unknown
--   connector: Send connector
--   message_id: id of the message; null where no log names it
--   network_message_id: id that all copies share
--   bounced_time: first permanent refusal, UTC
--   sender: who must send it again; <> for the null sender
--   recipients: to whom, joined with ;
--   times_refused: permanent refusals
--   minutes_per_hour: minutes per hour in the last of them
--   reply: words of the last of them
--   exchange_online_host: host of Exchange Online in it
--   times_delayed: temporary refusals of the same message
--   sender_told: yes, no or not seen in these logs
--   dsn_time: when the report to the sender was made, UTC
--   accepted_later: when it was accepted after all, under the same id, UTC
--   what_to_do: one sentence
--   submitted_by: host that submitted it, by name or address: a device or program, or the mailbox server; null where not seen
--   submitted_over: Receive connector over which it came; null where it came over none
--   submitted_path: smtp, storedriver (a mailbox), pickup, agent (journal reports), dsn, ...; null where not seen
--   mail_class: internal (the sender is of the organisation), external (is not) or system (nobody reads a report to its sender)
--   message_key: key of the message inside its organisation
select
    organisation, server, connector, message_id, network_message_id, first_blocked as bounced_time, sender,
    blocked_recipients as recipients,
    times_blocked as times_refused, block_minutes as minutes_per_hour, block_reply as reply, exchange_online_host,
    times_throttled as times_delayed,
    case
        when null_sender then 'no'
        when dsn_time is not null then 'yes'
        else 'not seen in these logs'
    end as sender_told,
    dsn_time, accepted_time as accepted_later,
    case
        when accepted_time is not null then 'Nothing: it was accepted later under the same id.'
        when null_sender then 'Nobody is told: it has no sender, as reports and automatic replies have none.'
        when dsn_time is not null then 'The sender was told; it must be sent again.'
        else 'Ask the sender to send it again.'
    end as what_to_do,
    submitted_by, submitted_over, submitted_path, mail_class, message_key
from refused_messages
where times_blocked > 0
