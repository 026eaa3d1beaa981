"""A statement that would run for hours, and a child that says when it begins with it."""

RUNAWAY = "select sum(a.range * b.range) from range(10000000) a, range(10000000) b"
TELLS_ITS_STATEMENT = """
from pipeline import sql
plain = sql.Session._fetch
def fetch(self, statement):
    print("up", flush=True)
    return plain(self, statement)
sql.Session._fetch = fetch
"""
