"""What strangers can send: sizes, archives, names, SQL. docs/hostile-input.md says what is promised."""
