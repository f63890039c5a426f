"""What varies and what is unknown: designs of members, spread between subjects, noise of readings, and their shares."""

from nanotrial.sampling.designs import DESIGNS
from nanotrial.sampling.draws import Draws
from nanotrial.sampling.joined import joined_parameters
from nanotrial.sampling.noise import Noise, noise_of
from nanotrial.sampling.separation import Bands, VarianceShares, bands, variance_shares

__all__ = [
    "DESIGNS",
    "Bands",
    "Draws",
    "Noise",
    "VarianceShares",
    "bands",
    "joined_parameters",
    "noise_of",
    "variance_shares",
]
