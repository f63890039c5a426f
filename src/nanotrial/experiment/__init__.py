"""Play a study: arms, members, summaries. The names that other rooms use."""

from nanotrial.experiment.comparisons import ArmStatistics, Comparison, compare_arms, noisy_readings
from nanotrial.experiment.play import ArmResult, StudyResult, cohort_of_arm, comparisons_of, measure_noise, simulate
from nanotrial.experiment.player import CELLS, FEW_MEMBERS, HELD, Control, MemberTable, Player
from nanotrial.experiment.pool import BuiltArms, play_arms, usual_workers
from nanotrial.experiment.summaries import MeasureSummary, summarise

__all__ = [
    "CELLS",
    "FEW_MEMBERS",
    "HELD",
    "ArmResult",
    "ArmStatistics",
    "BuiltArms",
    "Comparison",
    "Control",
    "MeasureSummary",
    "MemberTable",
    "Player",
    "StudyResult",
    "cohort_of_arm",
    "compare_arms",
    "comparisons_of",
    "measure_noise",
    "noisy_readings",
    "play_arms",
    "simulate",
    "summarise",
    "usual_workers",
]
