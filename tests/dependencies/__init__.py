"""What the project is installed with."""
