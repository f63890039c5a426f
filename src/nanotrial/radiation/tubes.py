"""Bremsstrahlung and characteristic lines of an X-ray tube, as they leave the anode.

The model is that of SpekPy 2 (poludniowski_2021; physics "casim": electrons in the anode from Monte Carlo tables), at
10 to 500 kV for tungsten and 10 to 50 kV for molybdenum and rhodium. Filters are not its own: they take the
coefficients that everything else here takes.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array

HIGHEST = {"W": 500.0, "Mo": 50.0, "Rh": 50.0}
LOWEST = 10.0
# Bins fine enough for half-value layers: 1 keV would cost 4 per cent at 30 kV.
FINE, COARSE, FINE_BELOW = 0.25, 0.5, 60.0


@lru_cache(maxsize=128)
def tube_spectrum(voltage: float, anode: str = "W", angle: float = 20.0, where: str = "beam") -> tuple[Array, Array]:
    """Return energies (keV) and photons per bin, in any unit, of an unfiltered tube.

    Arguments:
        voltage: kV, constant.
        anode: ``W``, ``Mo`` or ``Rh``.
        angle: between the anode's face and the beam's axis, degrees.
        where: name of the argument, for messages.

    Raises:
        InputError: a voltage or an angle outside the tables.
    """
    if not LOWEST <= voltage <= HIGHEST[anode]:
        span = f"{LOWEST:g} to {HIGHEST[anode]:g} kV with an anode of {anode}"
        raise InputError(where, f"{voltage:g} kV", span, "Linear accelerators have published spectra, such as `6 MV`.")
    if not 1.0 <= angle <= 90.0:
        raise InputError(where, f"an anode at {angle:g} degrees", "1 to 90 degrees")
    import warnings

    with warnings.catch_warnings():
        # NumPy's own deprecations inside SpekPy, not the caller's.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        import spekpy

        step = FINE if voltage <= FINE_BELOW else COARSE
        model = spekpy.Spek(kvp=voltage, th=angle, dk=step, targ=anode, physics="casim", z=100.0)
        energies, density = model.get_spectrum(edges=False)
    photons = np.asarray(density, dtype=float)
    kept = photons > 0.0
    return np.asarray(energies, dtype=float)[kept], photons[kept]
