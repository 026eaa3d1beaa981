"""The store: Parquet files under two Delta Lake tables, one commit a table and batch."""
