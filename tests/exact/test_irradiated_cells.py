"""Irradiated dishes and tubes against what can be told by hand: lesions, oxygen, phases, doses, radicals, bonds."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pytest
from dishes import CATALOGUE, make_dish
from tubes import HOUR, TIGHT, Played, agent, make_study

from nanotrial.cell.dose_response import survival
from nanotrial.cell.irradiation import TARGETS, particles
from nanotrial.cell.local_effect import CellGeometry, find_local_effect
from nanotrial.experiment import Player
from nanotrial.places import build_arm
from nanotrial.places.irradiation import WATER_DENSITY if False else make_spectrum  # noqa
