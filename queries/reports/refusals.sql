-- title: Refusals, line by line
-- answers: Every line that holds a refusal by Exchange Online for the build of a server, and which lines are the same refusal.
-- terminal: time, organisation, handed_over_by, log_kind, action, minutes_per_hour, message_id, sender, recipients
-- columns:
--   time: when the line was written, UTC; of a row that quotes an older reply, not the time of the refusal
--   organisation: id of the organisation
--   server: server whose log holds the line, first label in capitals; null where nothing names it
--   handed_over_by: server that handed the message over (a front end may only relay); null where unknown
--   log_kind: message-tracking, smtp-send or smtp-receive
--   log_service: transport service that wrote the log
--   event: tracking event id, or < and > of a protocol log
--   connector: connector of the row
--   session_id: SMTP session of a protocol row
--   message_id: id of the refused message; null where nothing names it
--   network_message_id: id that all copies of the message share
--   sender: sender of the refused message, <> for the null sender
--   recipients: recipients joined with ;
--   reply_code: three-digit code
--   enhanced_code: enhanced status code
--   action: throttle or block
--   permanent: whether the message is not tried again
--   minutes_per_hour: minutes per hour that the reply names; null where it names none
--   reply: the reply's own words
--   exchange_online_host: host of Exchange Online in the reply
--   peer_time: clock of Exchange Online in the reply, UTC
--   flags: what to know about this line, sentences joined with ;
--   refusal_key: the same for all lines of one refusal of one message
--   source_file: path of the source
--   source_line: line number
select
    time, organisation, server, handed_over_by, log_kind, log_service, event, connector, session_id,
    message_id, network_message_id, sender, recipients, reply_code, enhanced_code, action,
    permanent, minutes_per_hour, reply, exchange_online_host, peer_time, flags, refusal_key,
    source_file, source_line
from refusals
order by organisation, time, source_file, source_line
