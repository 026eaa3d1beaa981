"""What all chapters of a report share."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.reports.html.cells import Rows
from pipeline.reports.html.figures import Data
from pipeline.reports.third_party import ThirdParty


@dataclass(frozen=True, slots=True)
class Frame:
    """What all chapters share. `brief` is a report of so many organisations that each gets fewer rows and pictures, `many` one of so many that each
    has what is to be done alone, folded away: the rest is in the report of that organisation.
    """

    rows: Rows
    data: Data
    marks: ThirdParty
    brief: bool
    many: bool = False
