-- title: Mail handed to Exchange Online, by connector, destination and hour
-- answers: How much mail goes to Exchange Online, by server, connector, tenant and hour, and which of it is under enforcement.
-- terminal: organisation, server, connector, tenant, hour, messages, refused_messages, in_scope
-- columns:
--   organisation: id of the organisation
--   server: server that handed over, first label in capitals; null where unknown
--   connector: Send connector
--   destination: next hop (tracking), or domain of the recipient (hours without tracking)
--   tenant: first label of the next hop, or the domain of the recipient
--   hour: hour, UTC
--   messages: messages accepted
--   recipients: their recipients; null where only protocol logs have them
--   refused_messages: messages refused for the build of the server, once each hour
--   evidence: message-tracking, smtp-send, or refusals where nothing was accepted
--   in_scope: yes, no or unknown: whether enforcement applies to this path
--   scope_reason: why
select
    organisation, server, connector, destination, tenant, hour, messages, recipients,
    refused_messages, evidence, in_scope, scope_reason
from hand_overs
order by organisation, hour, server nulls first, connector nulls first, destination nulls first
