"""State machines with known outcomes, for every interpreter that claims to run ASL in JSONata.

Expected outcomes are read from the ASL specification and the AWS Step Functions developer guide.
"""

from __future__ import annotations

from asl_case import Case, work
from asl_data_cases import CHOICES, PLAIN, VARIABLES
from asl_work_cases import MAPS, PARALLELS, TASKS, TIMES

CASES: list[Case] = [*PLAIN, *VARIABLES, *CHOICES, *TASKS, *PARALLELS, *MAPS, *TIMES]

__all__ = ["CASES", "Case", "work"]
