"""What a store keeps of its privacy: under which key its pseudonyms were made, and that it holds no subjects.

Both are properties of its tables, set when the store is made and never changed: of a store it can be said that all
of its rows were treated alike. Files and folders of a store are made readable by their owner only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.logs.privacy import Privacy

KEY_ID = "tbes.pseudonyms"
SUBJECTS = "tbes.subjects"
_DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Treatment:
    """How the rows of a store are treated. `key_id` tells which key made its pseudonyms; null for a plain store."""

    key_id: str | None = None
    drops_subjects: bool = False

    @classmethod
    def of(cls, properties: Mapping[str, str | None]) -> Treatment:
        """As a table's properties say."""
        return cls(properties.get(KEY_ID), properties.get(SUBJECTS) == _DROPPED)

    @classmethod
    def by(cls, privacy: Privacy) -> Treatment:
        """As an ingest does it."""
        return cls(privacy.pseudonyms.key_id if privacy.pseudonyms else None, privacy.drop_subjects)

    def properties(self) -> dict[str, str]:
        """For a table that is made."""
        found = {KEY_ID: self.key_id} if self.key_id else {}
        return found | ({SUBJECTS: _DROPPED} if self.drops_subjects else {})


def must_agree(root: Path, stored: Treatment, wanted: Treatment) -> None:
    """Raises UsageError if rows treated so must not be added to this store."""
    if stored.key_id and not wanted.key_id:
        raise UsageError(
            f"The store {root} is pseudonymised: give its key with --pseudonymise KEYFILE (key {stored.key_id})"
        )
    if wanted.key_id and not stored.key_id:
        raise UsageError(
            f"The store {root} holds addresses in the clear, which --pseudonymise cannot change: "
            "ingest the logs into a new store"
        )
    if stored.key_id != wanted.key_id:
        raise UsageError(
            f"The store {root} is pseudonymised with another key (its key is {stored.key_id}, "
            f"the one given {wanted.key_id}): give that key, or ingest into a new store"
        )
    if wanted.drops_subjects and not stored.drops_subjects:
        raise UsageError(
            f"The store {root} holds subjects, which --drop-subjects cannot change: ingest the logs into a new store"
        )


@contextmanager
def owner_only() -> Iterator[None]:
    """Whatever this process makes meanwhile is readable by its owner only, also what delta-rs writes.

    On Windows files inherit the permissions of their folder, and nothing is changed. The mask is the process's:
    other threads are under it too.
    """
    if os.name != "posix":
        yield
        return
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
