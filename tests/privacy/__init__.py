"""What is hidden, from whom, and that verdicts do not change."""
