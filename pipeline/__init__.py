"""tbes: what Exchange Online's transport-based enforcement does to your servers, read from their own logs."""

__version__ = "0.1.0"

import os

# numpy's linear algebra is not used here; its threads would wait by spinning.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
