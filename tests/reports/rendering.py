"""Documents of the sample logs as of a fixed time, with paths that do not depend on where the copy stands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pipeline.i18n import Texts
from pipeline.reference.catalogue import Catalogue
from pipeline.relations import Parameters
from pipeline.reports.acknowledge import Acknowledgement
from pipeline.reports.changes import Earlier
from pipeline.reports.document import Document, Style
from pipeline.reports.formats import FORMATS
from pipeline.reports.gather import Wanted, document
from pipeline.reports.markdown import escaped
from pipeline.sql import Result, Session
from pipeline.store.store import Store
from tests.samples import AS_OF, copy_samples, ingest_samples


class Samples:
    """A store of the sample logs, settled, so that no last line is pending."""

    def __init__(self, folder: Path) -> None:
        self.logs = copy_samples(folder / "logs", settled=True)
        self.store: Store = ingest_samples(folder / "store", self.logs)

    def session(self, organisation: str | None = None) -> Session:
        """A session as of AS_OF."""
        return Session(self.store.snapshot(), Catalogue(), (), Parameters(organisation, as_of=AS_OF))

    def write(
        self,
        format_: str,
        report: str | None = None,
        language: str | None = None,
        organisation: str | None = None,
        acknowledged: Sequence[Acknowledgement] = (),
        earlier: Earlier | None = None,
        raw: bool = False,
    ) -> bytes:
        """What `tbes report` writes."""
        style = Style(Texts(language or "en"), raw=raw, prose=language is not None)
        with self.session(organisation) as session:
            made = document(session, Wanted(report, acknowledged, earlier))
            written = FORMATS[format_].write(made, style)
        content = written if isinstance(written, bytes) else written.encode()
        return content if FORMATS[format_].binary else self.relative(content)

    def relative(self, content: bytes) -> bytes:
        """The content with the folder of the copy cut off its paths."""
        prefix = str(self.logs)
        for spelling in (json.dumps(prefix)[1:-1], escaped(prefix), prefix):
            content = content.replace(spelling.encode(), b"logs")
        return content


def of_rows(
    columns: Sequence[str], types: Sequence[str], *rows: tuple[object, ...], report: str = "refusals"
) -> Document:
    """A document of one sheet of made-up rows; its session is one of an empty store."""
    from pipeline.reports.document import Sheet

    result = Result(list(columns), list(types), list(rows))
    session = Session((), Catalogue(), (), Parameters(as_of=AS_OF))
    return Document([Sheet(report, "Made up", result, {})], session, AS_OF)
