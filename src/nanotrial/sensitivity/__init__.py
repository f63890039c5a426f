"""Which of the unknown and the varying parameters a measure depends on: screening and shares of variance."""

from nanotrial.sensitivity.arm import ArmModel, Sensitivity, examine_arm
from nanotrial.sensitivity.indices import MorrisIndices, SobolIndices, morris_indices, sobol_indices
from nanotrial.sensitivity.inputs import Input, inputs_of_arm

__all__ = [
    "ArmModel",
    "Input",
    "MorrisIndices",
    "Sensitivity",
    "SobolIndices",
    "examine_arm",
    "inputs_of_arm",
    "morris_indices",
    "sobol_indices",
]
