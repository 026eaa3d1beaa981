-- title: Refusals, one row each
-- answers: Every refusal once, however many logs hold it.
-- kept: asked for by many views
-- columns:
--   time: first line that was written at the refusal, UTC; where only a quotation is known, its time
--   organisation: id of the organisation
--   server: server that handed the message over; null where unknown
--   connector: Send connector; of the front end's Receive log only where no other log has the refusal
--   destination: next hop in lower case; null where only protocol logs hold the refusal
--   message_id: id of the message; null where nothing names it
--   message_key: the same for all refusals of one message
--   network_message_id: id that all copies of the message share
--   sender: sender, <> for the null sender
--   null_sender: whether the envelope sender is empty, so that nobody is told
--   recipients: recipients joined with ;
--   action: throttle or block
--   permanent: whether the message is not tried again
--   minutes_per_hour: minutes per hour that the reply names
--   enhanced_code: enhanced status code
--   reply: the reply's own words
--   exchange_online_host: host of Exchange Online in the reply
--   attempt_time: start of the attempt, UTC; null where no protocol log has it
--   lines: lines that hold this refusal
--   log_kinds: kinds of logs that hold it, joined with ,
--   quoted_only: whether only a later quotation of it is known
--   refusal_key: the same for all lines of one refusal
select
    coalesce(min(case when not quotes_older then time end), min(time)) as time,
    organisation,
    min(handed_over_by) as server,
    coalesce(
        min(case when log_kind = 'message-tracking' then connector end),
        min(case when log_kind = 'smtp-send' then connector end),
        min(connector)
    ) as connector,
    min(destination) as destination,
    min(message_id) as message_id,
    min(message_key) as message_key,
    min(network_message_id) as network_message_id,
    coalesce(min(case when log_kind = 'message-tracking' and event <> 'DSN' then sender end), min(sender)) as sender,
    bool_or(envelope_sender = '<>') as null_sender,
    coalesce(max(case when log_kind = 'message-tracking' then recipients end), max(recipients)) as recipients,
    action,
    bool_or(permanent) as permanent,
    max(minutes_per_hour) as minutes_per_hour,
    max(enhanced_code) as enhanced_code,
    coalesce(
        max(case when log_kind = 'smtp-send' then reply end), max(case when not quotes_older then reply end), max(reply)
    ) as reply,
    max(exchange_online_host) as exchange_online_host,
    min(attempt_time) as attempt_time,
    count(*) as lines,
    string_agg(distinct log_kind, ', ' order by log_kind) as log_kinds,
    bool_and(quotes_older) as quoted_only,
    refusal_key
from refusals
group by organisation, action, refusal_key
