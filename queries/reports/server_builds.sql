-- title: Builds and generations of servers
-- answers: Which build each server ran from when to when, one row a stretch of time, and what proves it.
-- terminal: organisation, server, build, generation, build_name, first_seen, last_seen, evidence, strength
-- columns:
--   organisation: id of the organisation
--   server: server, first label in capitals
--   build: exact build; null where only the generation is known
--   generation: 2010, 2016, SE, 2013 or later, ...
--   build_name: name of the build in the catalogue
--   evidence: what says so
--   strength: strong or weak
--   first_seen: first row of this stretch, UTC; a build that comes back begins a new one
--   last_seen: last row of it, UTC
--   lines: rows that say so
--   interleaved: whether another build writes under the same name in between, as where one member stamps an old build
select
    organisation, server, build, generation, build_name, evidence, strength, first_seen, last_seen,
    lines, interleaved
from server_builds
order by organisation, server, first_seen, build nulls last, generation, evidence, strength
