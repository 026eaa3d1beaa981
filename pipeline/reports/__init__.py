"""Report rows to terminal tables, CSV and JSON: one module a format."""
