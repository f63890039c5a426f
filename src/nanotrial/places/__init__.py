"""Where an experiment happens: the tube, its compartments and the rooms that act in it.

An arm becomes one network. Every addition of particles is a cohort of its own: particles given later are younger.
"""

from nanotrial.places.build import MECHANISMS, build_arm
from nanotrial.places.fluid import Cohort, Fluid
from nanotrial.places.tube import BuiltArm, Tube

__all__ = ["MECHANISMS", "BuiltArm", "Cohort", "Fluid", "Tube", "build_arm"]
