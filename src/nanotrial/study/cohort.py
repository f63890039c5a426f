"""Read the cohort of a study: subjects in each arm, the arm others are held to, and the level of tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nanotrial.errors import StudyError, nearest
from nanotrial.reading import Default, TableReader
from nanotrial.study.model import Arm, Cohort

USUAL_SUBJECTS = {
    "tube": (3, "three tubes, the usual number of repeats of a release experiment"),
    "dish": (3, "three wells, the usual number of independent repeats on a cell line"),
}
WORDS = {"tube": "tubes", "dish": "wells"}
MOST_SUBJECTS = 200


def read_cohort(raw: object, where: str, defaults: list[Default], arms: Sequence[Arm], place: str) -> Cohort:
    """Return the cohort of a study.

    Arguments:
        raw: the table ``[cohort]``; an empty one takes every default.
        where: file and key for messages.
        defaults: every default is noted here.
        arms: arms of the study.
        place: tube or dish.

    Raises:
        StudyError: unknown key, a number out of range, an arm that is not there.
    """
    reader = TableReader(raw, where, defaults)
    usual, reason = USUAL_SUBJECTS[place]
    number = reader.quantity("subjects", "1", 2, MOST_SUBJECTS, float(usual), reason)
    if int(number) != number:
        raise StudyError(reader.key("subjects"), f"{number:g}", f"a whole number from 2 to {MOST_SUBJECTS}")
    alpha = reader.quantity("alpha", "1", 1e-6, 0.5, 0.05, "the usual level of tests")
    control = _control(reader, arms)
    reader.done()
    return Cohort(int(number), control, alpha, WORDS[place])


def _control(reader: TableReader, arms: Sequence[Arm]) -> str:
    """Return the arm to which others are compared; by default the first to which nothing is given."""
    names = [arm.name for arm in arms]
    if reader.has("control"):
        chosen: Any = reader.table["control"]
        if chosen not in names:
            raise StudyError(reader.key("control"), f"`{chosen}`", "an arm of the study", nearest(str(chosen), names))
        return str(chosen)
    bare = next((arm.name for arm in arms if not arm.additions), "")
    if bare:
        reader.note("control", bare, "the first arm to which nothing is given")
    else:
        reader.note("control", names[0], "the first arm: every arm is given something")
    return bare or names[0]
