"""Where an experiment happens: tube and dish, their compartments and the rooms that act in them.

An arm becomes one network. Every addition of particles is a cohort of its own: particles given later are younger.
"""

from nanotrial.particle.fluid import Cohort, Fluid
from nanotrial.places.build import MECHANISMS, build_arm
from nanotrial.places.built import BuiltArm
from nanotrial.places.dish_parts import Dish
from nanotrial.places.tube import Tube

__all__ = ["MECHANISMS", "BuiltArm", "Cohort", "Dish", "Fluid", "Tube", "build_arm"]
