"""The sample logs, ingested once."""

from __future__ import annotations

import pytest

from tests.reports.rendering import Samples


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return Samples(tmp_path_factory.mktemp("reports"))
