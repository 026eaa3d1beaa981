"""What has been ingested, by path and by identity; made from the parts' own entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.store.ranges import Range


@dataclass(slots=True)
class State:
    """Sources of both tables. `newest` is each source's entry that reached furthest.

    `by_path` says, for each path, which source was last seen there with which size and time;
    `by_content` the organisations' source ids of a content.
    """

    newest: dict[str, Range] = field(default_factory=dict)
    by_path: dict[str, Range] = field(default_factory=dict)
    by_content: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    servers: dict[tuple[str, str], str] = field(default_factory=dict)
    organisation_names: dict[str, str] = field(default_factory=dict)

    def add(self, entries: Iterable[Range]) -> None:
        """Take in entries, of the store or of a batch under way."""
        for entry in entries:
            known = self.newest.get(entry.source_id)
            if known is None or (entry.position_to, entry.read_at) >= (known.position_to, known.read_at):
                self.newest[entry.source_id] = entry
            at_path = self.by_path.get(entry.path)
            if at_path is None or (entry.read_at, entry.position_to) >= (
                at_path.read_at,
                at_path.position_to,
            ):
                self.by_path[entry.path] = entry
            self.by_content[entry.content_id].add(entry.source_id)
            self.organisation_names.setdefault(entry.organisation, entry.organisation_name)
            if entry.server:
                self.servers.setdefault((entry.organisation, entry.server.upper()), entry.server)

    def unchanged(self, path: str, size: int, mtime_ns: int) -> Range | None:
        """The entry of a file that was read to its end and has the same path, size and time as then."""
        entry = self.by_path.get(path)
        same = entry and entry.to_end and (entry.size, entry.mtime_ns) == (size, mtime_ns)
        return entry if same else None

    def server_name(self, organisation: str, name: str) -> str:
        """The spelling in which a server was first met in this organisation."""
        return self.servers.setdefault((organisation, name.upper()), name)
