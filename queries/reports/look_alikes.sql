-- title: Replies that are not transport-based enforcement
-- answers: Which other refusals the logs hold, so that they are not mistaken for enforcement.
-- terminal: organisation, server, log_kind, from_exchange_online, enhanced_code, meaning, lines, messages, what_to_do
-- columns:
--   organisation: id of the organisation
--   server: server whose log holds them, first label in capitals; null where nothing names it
--   log_kind: message-tracking, smtp-send or smtp-receive
--   connector: connector of the rows
--   from_exchange_online: whether Exchange Online said it
--   enhanced_code: enhanced status code
--   meaning: what it is; says so where only the code fits and the words differ
--   lines: lines that hold it; a retry is a line of its own
--   messages: different messages in them, by message id; null in protocol logs, which name none with a refusal
--   first_time: first of them, UTC
--   last_time: last of them, UTC
--   reply: one of the replies
--   what_to_do: advice
--   source_url: page that explains it
select
    organisation, server, log_kind, connector, from_exchange_online, enhanced_code, meaning, lines, messages,
    first_time, last_time, reply, what_to_do, source_url
from look_alikes
order by organisation, from_exchange_online desc, lines desc, enhanced_code, meaning, server nulls first, log_kind, connector nulls first
