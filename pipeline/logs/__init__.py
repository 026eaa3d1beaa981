"""Bytes of transport logs to typed rows: pure functions, no store, no SQL, no command line."""
