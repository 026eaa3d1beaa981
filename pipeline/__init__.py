"""tbes: what Exchange Online's transport-based enforcement does to your servers, read from their own logs."""

__version__ = "0.1.0"
