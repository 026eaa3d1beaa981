"""Log files to committed Parquet: plan what is new, read it, write parts, commit a batch at a time."""
