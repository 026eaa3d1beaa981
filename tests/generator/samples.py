"""The tree of `sample_logs/`: made, written, compared."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

from tests.generator.office import SEED, Generated
from tests.generator.scenarios import SCENARIOS
from tests.generator.truth import OrganisationTruth

NOT_GENERATED = frozenset({"README.md", ".gitattributes"})


def generate(seed: int = SEED) -> dict[str, Generated]:
    """The six organisations by slug, in order."""
    made = [scenario(seed) for scenario in SCENARIOS]
    return {generated.truth.organisation: generated for generated in made}


def truth(seed: int = SEED) -> dict[str, OrganisationTruth]:
    """What truly happened in each organisation, by slug."""
    return {slug: generated.truth for slug, generated in generate(seed).items()}


def write(directory: Path, seed: int = SEED) -> dict[str, OrganisationTruth]:
    """Write the tree below `directory` (made if missing; files there are replaced); returns the truth."""
    made = generate(seed)
    for generated in made.values():
        for path, content in generated.files.items():
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    return {slug: generated.truth for slug, generated in made.items()}


def check(directory: Path, seed: int = SEED) -> list[str]:
    """Differences between the tree below `directory` and what would be written; empty = none.

    Byte for byte; of archives the names, times and contents inside, since zlib's output differs by build.
    """
    expected = {path: content for made in generate(seed).values() for path, content in made.files.items()}
    found = {path.relative_to(directory).as_posix(): path for path in directory.rglob("*") if path.is_file()}
    differences = [f"missing: {path}" for path in expected.keys() - found.keys()]
    differences += [f"not generated: {path}" for path in found.keys() - expected.keys() - NOT_GENERATED]
    differences += [
        f"differs: {path}"
        for path in expected.keys() & found.keys()
        if _opened(path, expected[path]) != _opened(path, found[path].read_bytes())
    ]
    return sorted(differences)


def _opened(path: str, content: bytes) -> object:
    try:
        if path.endswith(".gz"):
            return gzip.decompress(content)
        if path.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return [
                    (entry.filename, entry.date_time, archive.read(entry)) for entry in archive.infolist()
                ]
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        return repr(error)
    return content
