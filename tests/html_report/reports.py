"""HTML reports as the command writes them, and logs with what strangers would write."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from pipeline.cli import cli
from tests.samples import copy_samples, ingest_samples

AS_OF = "2026-11-24T18:00Z"
# without comma, semicolon and quotation mark: they replace a part of a cell
SCRIPT = "<script>alert(document.title='owned')</script>"
IMAGE = "<img src=x onerror=alert(2)>"
BREAKOUT = "</td></table></section></style><svg onload=alert(3)>"
BIDI = "invoice\u202egpj.exe"
CONTROL = "bell\x07escape\x1b[2Jend"
TEMPLATE = "{{7*7}} ${7*7} &lt;b>"
_REPLACED = {
    ",Lunch?,": f",{SCRIPT},",
    ",Minutes,": f",{BIDI},",
    "Offer, second version": f"{CONTROL}, {BREAKOUT}",
    "For more information see": IMAGE,
    "EHLO mail.elmsford.example": f"EHLO {IMAGE}",
    "jonas.wild@elmsford.example": f"jonas{SCRIPT}@elmsford.example",
    "hugo.marten@elmsford.example": f"{BIDI}@elmsford.example",
    "nils.ebert@elmsford.example": f"{CONTROL}@elmsford.example",
    "greta.olsen@elmsfordexample": f"greta{BREAKOUT}@elmsfordexample",
    "mara.quist@elmsfordexample": f"mara{IMAGE}@elmsfordexample",
    "Outbound to Office 365": f"Outbound {TEMPLATE}{BREAKOUT} to Office 365",
}


def ingested(logs: Path, store: Path) -> Path:
    """A store with these logs in it."""
    ingest_samples(store, logs)
    return store


def report(store: Path, output: Path, *options: str) -> Path:
    """The HTML report that `tbes report` writes."""
    arguments = [
        "report",
        "--format",
        "html",
        "--output",
        str(output),
        "--store",
        str(store),
        "--as-of",
        AS_OF,
    ]
    done = CliRunner().invoke(cli, [*arguments, *options])
    assert done.exit_code == 0, done.output
    return output


def hostile_logs(folder: Path) -> Path:
    """The sample logs with payloads in subjects, addresses, EHLO names, connector names and reply texts of one organisation."""
    copy_samples(folder, settled=True)
    for path in sorted((folder / "elmsford").rglob("*.LOG")):
        text = path.read_bytes().decode("utf-8")
        for old, new in _REPLACED.items():
            text = text.replace(old, new)
        path.write_bytes(text.encode("utf-8"))
    return folder
