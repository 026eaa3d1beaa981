"""Which names could be words of the product's own sentences: an organisation called `exchange`, a server called `MAIL`.

Such a name tells nothing where a sentence uses the word, and a label there would spoil the sentence. So it is looked
for only where a name can stand. All other names are looked for everywhere.
"""

from __future__ import annotations

import re
from functools import cache

from pipeline import queries
from pipeline.reference.catalogue import Catalogue

_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_WORDS = (
    # what ingest says of a log and of what it could not read
    "organisation server by path rows layout option each row folder says were believed nothing but the is not clear "
    "what names gives to and would have same id begins like goes on otherwise kept as a second source its taken part "
    "was changed read anew in shorter than of it before no header kind columns shape first line unassigned none",
    # what servers everywhere say
    "ok accepted queued mail for delivery message recipient sender address rejected refused relay denied unable to "
    "user unknown mailbox unavailable full service not available closing connection timeout error temporary failure "
    "authentication required client was not authenticated hello start data end with exchange microsoft smtp esmtp",
)


@cache
def _told() -> str:
    """All that the product says, in lower case."""
    sentences = [*_WORDS]
    for query in (*queries.views(), *queries.reports()):
        sentences += [found[1].replace("''", "'") for found in _LITERAL.finditer(query.body)]
    for relation in Catalogue().tables().values():
        sentences += [cell for row in relation.rows for cell in row if isinstance(cell, str)]
    return "\n".join(sentences).casefold()


def may_be_a_word(name: str) -> bool:
    """Whether a name stands as a word, or words that follow on one another, in what the product says."""
    return re.search(rf"(?<![\w-]){re.escape(name.casefold())}(?![\w-])", _told()) is not None
