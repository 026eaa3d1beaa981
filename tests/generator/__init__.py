"""A deterministic generator of realistic Exchange transport logs, for sample_logs/, tests and benchmarks.

`generate()` gives the six organisations of `sample_logs/` with their truth and files, `write(directory)`
writes them, `check(directory)` compares, `truth()` is the truth alone. `simulation.Simulation` with an
`organisation.Organisation` of one's own and any `enforcement.Enforcement` makes other cases;
`bulk.write_bulk` makes many megabytes.
"""

from __future__ import annotations

from tests.generator.bulk import BulkFile, write_bulk
from tests.generator.office import SEED, Generated
from tests.generator.samples import check, generate, truth, write

__all__ = ["SEED", "BulkFile", "Generated", "check", "generate", "truth", "write", "write_bulk"]
