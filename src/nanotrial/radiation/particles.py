"""How much dose one particle adds to the water around it: what an ionising event in it gives, and how often one is.

``dose_per_event`` is the mean dose in shells of water about the particle, given one event, by the electrons that leave
it. Energies in keV, lengths in nm.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import fields, replace

import numpy as np

from nanotrial.errors import InputError, nearest
from nanotrial.radiation.coarse_kernel import analytic_dose
from nanotrial.radiation.kept_results import digest, load_arrays, store_arrays
from nanotrial.radiation.nanoscale import content, simulated_dose
from nanotrial.radiation.particle_case import Case, ParticleDose, read_case, read_count

METHODS = ("analytic", "monte_carlo")
_KEPT_IN_MEMORY = 64
_memory: OrderedDict[str, ParticleDose] = OrderedDict()
__all__ = ["ParticleDose", "particle_dose"]


def particle_dose(
    material: object,
    diameter: object,
    beam: object,
    method: str = "analytic",
    shape: str = "sphere",
    histories: int = 20_000,
    seed: int = 1,
    density: object = None,
) -> ParticleDose:
    """Return what one particle in a beam adds to the water around it, per ionising event and per gray.

    Arguments:
        material: anything ``composition`` reads.
        diameter: length; outer diameter, edge of a cage; 0.5 nm to 20 um.
        beam: Beam, or anything ``beam`` reads.
        method: ``analytic`` (milliseconds, 20-30 % where it counts, see the docs) or ``monte_carlo``.
        shape: ``sphere``; ``rod, length 60 nm``; ``disc, thickness 5 nm``; ``shell, wall 5 nm``; ``cage, wall 5 nm``.
        histories: ionising events that are followed (Monte Carlo).
        seed: of the random numbers; the same seed gives the same numbers.
        density: g/cm^3; None takes that of the material.

    Validity: photons 1 keV to 20 MeV, of which the particle absorbs less than 20 %; electrons above 50 eV are
    followed, those above 1 MeV with the rates of 1 MeV.
    Monte Carlo results are kept in memory and on disk, under a name made of all tables and numbers that went in.
    Sources: see nanotrial.radiation.electrons.

    Raises:
        InputError: unknown material, beam, shape or method, a diameter or a number of histories out of range.
        UnitError: a length without a unit.
    """
    if method not in METHODS:
        raise InputError("method", f"{method!r}", "analytic or monte_carlo", nearest(str(method), METHODS))
    count, stream = read_count(histories, "histories"), read_count(seed, "seed", 0, 2**63)
    case = read_case(material, diameter, beam, shape, density)
    if method == "analytic":
        return analytic_dose(case)
    return _simulated(case, count, stream)


def _simulated(case: Case, count: int, stream: int) -> ParticleDose:
    """Return a result of the Monte Carlo kernel: from memory, from disk, or made now."""
    short = digest("particle_dose", case.form, case.density, case.substance.fractions, case.rays.key, count, stream)
    if short in _memory:
        _memory.move_to_end(short)
        return _memory[short]
    name = digest("particle_dose", content(case), count, stream)
    found = _recalled(name)
    if found is None:
        found = simulated_dose(case, count, stream)
        store_arrays(name, {one.name: np.asarray(getattr(found, one.name)) for one in fields(found)})
    else:
        # The name says nothing of what the caller calls things.
        found = replace(found, material=case.substance.name, beam=case.rays.name)
    _memory[short] = found
    while len(_memory) > _KEPT_IN_MEMORY:
        _memory.popitem(last=False)
    return found


def _recalled(name: str) -> ParticleDose | None:
    """Return a result that is kept on disk."""
    stored = load_arrays(name)
    if stored is None or set(stored) != {one.name for one in fields(ParticleDose)}:
        return None
    return ParticleDose(**{key: value.item() if value.ndim == 0 else value for key, value in stored.items()})
