"""Hand-made rows for the clock, as the other views have them."""

from __future__ import annotations

from tests.queries.conftest import connection, logs

__all__ = ["connection", "logs"]
