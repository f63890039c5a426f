"""One substance as an electron meets it: every rate that a transport kernel needs, on one grid of energies.

Energies are in keV, lengths in nm, densities in g/cm3. The scheme is of class II:

    soft losses      dT/ds = restricted_stopping (keV/nm), continuous
    hard collisions  hard_inverse_path (1/nm): loss W >= cut, drawn as nanotrial.radiation.electrons.knock_on says
    elastic          elastic_inverse_path (1/nm), angle: cos = 1 - 2 eta u / (1 + eta - u), u uniform in [0, 1)

The screening eta is such that the mean of 1 - cos over all elastic collisions is right, the deflection by soft losses
included: those beyond half of all losses are close collisions with free electrons, 1 - cos = W m / (T (T + 2 m)).

The grid is even in the logarithm of energy, so an index is (ln T - log_energies[0]) / step. All rates are per length of
path at the density given: they scale with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nanotrial.errors import InputError
from nanotrial.radiation.electrons.elastic import elastic_inverse_paths, screening_of
from nanotrial.radiation.electrons.knock_on import REST, hard_moments
from nanotrial.radiation.electrons.shells import electron_shells
from nanotrial.radiation.electrons.stopping import collision_stopping, csda_ranges, radiative_stopping

if TYPE_CHECKING:
    from nanotrial.radiation.composition import Composition

Array = NDArray[np.float64]
LOWEST, HIGHEST = 0.05, 1000.0
# Keeps the restricted stopping positive where hard collisions of free electrons would take more than all of the loss.
LARGEST_HARD_SHARE = 0.8


@dataclass(frozen=True)
class ElectronMedium:
    """Rates of one substance for electrons; arrays (n,) follow ``log_energies`` unless said otherwise."""

    name: str
    density: float  # g/cm3
    cut: float  # keV: smallest loss that is a hard collision
    step: float  # spacing of log_energies
    log_energies: Array  # natural logarithm of keV
    restricted_stopping: Array  # keV/nm, soft losses only
    total_stopping: Array  # keV/nm, collisions and bremsstrahlung
    radiative_stopping: Array  # keV/nm, part of the total; its photons leave
    hard_inverse_path: Array  # 1/nm
    elastic_inverse_path: Array  # 1/nm
    elastic_screening: Array  # eta
    transport_inverse_path: Array  # 1/nm, first transport coefficient of elastic collisions and soft losses
    csda_range: Array  # nm, down to the first energy of the grid plus a short rest
    shell_energies: Array  # (m,) keV, rising: binding of the electrons of all atoms
    shell_shares: Array  # (m,) cumulative share of all electrons with at most that binding; the last is 1

    @property
    def energies(self) -> Array:
        """Return the energies of the grid (keV)."""
        return np.exp(self.log_energies)


def electron_medium(
    composition: Composition,
    density: float | None = None,
    cut: float = 0.1,
    points: int = 256,
    lowest: float = LOWEST,
    highest: float = HIGHEST,
) -> ElectronMedium:
    """Return the rates of one substance for electrons.

    Arguments:
        composition: mass fractions of the elements, with a density (g/cm3) unless ``density`` is given.
        density: g/cm3; None takes that of the composition.
        cut: keV, smallest loss that the kernel treats as a collision of its own.
        points: number of energies.
        lowest, highest: keV, ends of the grid; 0.05 to 1000 at most.

    Raises:
        InputError: no density, a density or cut that is not positive, or a grid beyond the data.
    """
    where = f"electron_medium({composition.name})"
    rho = density if density is not None else composition.density
    if rho is None or not rho > 0:
        raise InputError(where, f"a density of {rho}", "a positive density in g/cm3", "give density=")
    if not 0.005 <= cut <= 100.0:
        raise InputError(where, f"a cut of {cut} keV", "0.005 to 100 keV")
    if not LOWEST <= lowest < highest <= HIGHEST or points < 16:
        raise InputError(where, f"{points} energies from {lowest} to {highest} keV", "16 or more in 0.05 to 1000 keV")
    log_energies = np.linspace(np.log(lowest), np.log(highest), points)
    energies = np.exp(log_energies)
    per_length = rho * 1e-4  # MeV cm2/g times g/cm3 is MeV/cm, and that is 1e-4 keV/nm
    collision = collision_stopping(composition, rho, energies) * per_length
    radiative = radiative_stopping(composition, energies) * per_length
    shell_energies, shell_shares, electrons = electron_shells(composition, rho)
    hard_rate, hard_loss = hard_moments(energies, cut, shell_energies, shell_shares, electrons)
    scale = np.minimum(1.0, LARGEST_HARD_SHARE * collision / np.maximum(hard_loss, 1e-300))
    elastic, transport = elastic_inverse_paths(composition, rho, energies)
    total = collision + radiative
    close = np.maximum(0.5 * collision - scale * hard_loss, 0.0)
    transport = transport + close * REST / (energies * (energies + 2.0 * REST))
    return ElectronMedium(
        composition.name, rho, cut, float(log_energies[1] - log_energies[0]), log_energies,
        total - scale * hard_loss, total, radiative, scale * hard_rate, elastic, screening_of(transport / elastic),
        transport, csda_ranges(energies, total), shell_energies, shell_shares,
    )  # fmt: skip
