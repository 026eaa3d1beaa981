"""The hand-made rows of the query tests."""

from tests.queries.conftest import connection, logs

__all__ = ["connection", "logs"]
