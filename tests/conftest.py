"""The packaged catalogue, loaded once."""

from __future__ import annotations

import pytest

from pipeline.reference.catalogue import Catalogue


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue()
