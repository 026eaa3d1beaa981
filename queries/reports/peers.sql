-- title: Peers
-- answers: Every host that connects to us or that we connect to, and what is known of it as an Exchange server.
-- terminal: organisation, direction, peer, domain, sessions, messages, is_exchange, generation, build
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
select
    organisation, direction, peer, own_server, local_probe, domain, sending_organisation, addresses,
    address_count, ehlo_names, sessions, messages, tls_versions, first_seen, last_seen, is_exchange,
    generation, earlier_generation, generation_since, signals, build, build_evidence
from peers
order by organisation, direction, messages desc, sessions desc, peer
