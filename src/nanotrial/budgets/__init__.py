"""Ceilings that conservation sets on an arm, in a tube or in a dish.

Each budget is one line: name, amount, unit, what it is held against, and whether the ceiling binds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.budgets.dish import dish_budgets
from nanotrial.budgets.line import Budget
from nanotrial.budgets.tube import tube_budgets

if TYPE_CHECKING:
    from nanotrial.places import BuiltArm
    from nanotrial.solve.run import Runner

__all__ = ["Budget", "arm_budgets"]


def arm_budgets(built: BuiltArm, runner: Runner) -> list[Budget]:
    """Return the budgets of an arm.

    Arguments:
        built: the arm.
        runner: its compiled network, which gives pH at any composition.
    """
    return dish_budgets(built, runner) if built.dish is not None else tube_budgets(built, runner)
