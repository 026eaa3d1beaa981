"""What all chapters of a report share."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.reports.html.cells import Rows
from pipeline.reports.html.figures import Data
from pipeline.reports.third_party import ThirdParty


@dataclass(frozen=True, slots=True)
class Frame:
    """What all chapters share. `brief` is a report of so many organisations that each gets fewer rows and pictures."""

    rows: Rows
    data: Data
    marks: ThirdParty
    brief: bool
