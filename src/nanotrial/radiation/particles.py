"""How much dose one particle adds to the water around it: what an ionising event in it gives, and how often one is.

An event is a photoelectric, Compton or pair interaction of the beam with the particle. ``event_rate`` counts events per
particle and per gray that the same beam gives to water under charged-particle equilibrium:

    rate = V rho sum_E phi(E) (mu_photo + mu_incoh + mu_pair)/rho / sum_E phi(E) E (mu_en/rho)_water

and ``dose_per_event`` is the mean dose in shells of water about the particle, given one event, by the electrons that
leave it. Energies in keV, lengths in nm.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
from collections import OrderedDict
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import InputError, nearest
from nanotrial.radiation.arguments import Array, read_quantity
from nanotrial.radiation.composition import Composition, composition

if TYPE_CHECKING:
    from nanotrial.radiation.beams import Beam
    from nanotrial.radiation.electrons.geometry import Shape

# Raised whenever the kernel gives other numbers for the same tables.
PHYSICS = 1
METHODS = ("analytic", "monte_carlo")
SMALLEST, LARGEST = 0.5, 20000.0
# Gy of one keV/nm^3 in water of 1 g/cm^3.
GRAY = 1.602176634e8
_KEPT_IN_MEMORY = 64
_memory: OrderedDict[str, ParticleDose] = OrderedDict()


@dataclass(frozen=True, eq=False)
class ParticleDose:
    """What one particle adds to the water around it.

    ``event_rate`` events per particle and gray to water; ``radii`` edges of shells from the centre (nm, n + 1; of the
    sphere with the same volume inside, for other shapes); ``dose_per_event`` mean dose in each shell per event (Gy, n)
    with ``standard_error``; energies per event (keV): ``deposited_inside`` the particle, ``escaping_energy`` carried
    out by electrons, ``photon_energy`` carried out by photons. ``distances`` are the edges of the shells from the
    surface (nm); ``leaving`` electrons per event that leave, by energy (keV), returns taken off.
    """

    material: str
    diameter: float
    beam: str
    event_rate: float
    radii: Array
    dose_per_event: Array
    deposited_inside: float
    escaping_energy: float
    standard_error: Array
    method: str
    shape: str = "sphere"
    histories: int = 0
    seed: int = 0
    photon_energy: float = 0.0
    distances: Array | None = None
    leaving_energies: Array | None = None
    leaving: Array | None = None


@dataclass(frozen=True)
class Case:
    """Arguments that were read: substance with its density, form, beam."""

    substance: Composition
    density: float
    form: Shape
    diameter: float
    rays: Beam


def read_case(material: object, diameter: object, beam: object, shape: str, density: object = None) -> Case:
    """Read the arguments that functions about one particle share.

    Raises:
        InputError: an unknown material, beam or shape, a diameter that is not positive, or no density.
        UnitError: a length without a unit.
    """
    from nanotrial.radiation.beams import Beam
    from nanotrial.radiation.beams import beam as read_beam
    from nanotrial.radiation.electrons.geometry import read_shape

    substance = composition(material, "material")
    given = read_quantity(density, "g/cm^3", "density", 1e-3, 30.0) if density is not None else substance.density
    if given is None:
        raise InputError("material", f"{substance.name} of unknown density", "a density", 'Give density="7 g/cm^3".')
    size = read_quantity(diameter, "nm", "diameter", SMALLEST, LARGEST)
    rays = beam if isinstance(beam, Beam) else read_beam(beam)
    return Case(substance, given, read_shape(shape, size), size, rays)


def event_rate(substance: Composition, density: float, volume: float, rays: Beam) -> float:
    """Return interactions of photons in a volume per gray to water under charged-particle equilibrium.

    Arguments:
        substance, density: of the volume; g/cm^3.
        volume: nm^3.
        rays: beam.
    """
    from nanotrial.radiation.attenuation import coefficients

    found = coefficients(substance, rays.energies)
    events = float(rays.fluence @ (found.photoelectric + found.incoherent + found.pair))
    fluence = 1.0 / float(rays.dose_per_fluence("water").magnitude)
    return fluence * density * volume * 1e-21 * events


def read_count(raw: object, where: str, low: int = 1, high: int = 10**9) -> int:
    """Return a whole number within limits.

    Raises:
        InputError: no whole number, or beyond the limits.
    """
    if isinstance(raw, bool) or not isinstance(raw, int | np.integer) or not low <= raw <= high:
        raise InputError(where, f"{raw!r}", f"a whole number from {low} to {high}")
    return int(raw)


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

    Validity: photons 1 keV to 20 MeV; electrons above 50 eV are followed, those above 1 MeV with the rates of 1 MeV.
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
        from nanotrial.radiation.coarse_kernel import analytic_dose

        return analytic_dose(case)
    return _simulated(case, count, stream)


def _simulated(case: Case, count: int, stream: int) -> ParticleDose:
    """Return a result of the Monte Carlo kernel: from memory, from disk, or made now."""
    from nanotrial.radiation.nanoscale import content, simulated_dose

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


def digest(*parts: object) -> str:
    """Return the name under which a result is kept, from everything that decides it."""
    return hashlib.sha256(repr((PHYSICS, *parts)).encode()).hexdigest()


def cache_folder() -> Path:
    """Return where results are kept: $NANOTRIAL_CACHE, or the user's folder for caches."""
    chosen = os.environ.get("NANOTRIAL_CACHE")
    if chosen:
        return Path(chosen) / "radiation"
    import platformdirs

    return Path(platformdirs.user_cache_dir("nanotrial", appauthor=False)) / "radiation"


def load_arrays(name: str) -> dict[str, Any] | None:
    """Return arrays that are kept under a name, or None; a file that cannot be read counts as none."""
    with contextlib.suppress(OSError, ValueError, KeyError, EOFError):
        whole = (cache_folder() / f"{name}.npz").read_bytes()
        if hashlib.sha256(whole[32:]).digest() == whole[:32]:
            with np.load(io.BytesIO(whole[32:]), allow_pickle=False) as stored:
                return {key: stored[key] for key in stored.files}
    return None


def store_arrays(name: str, arrays: dict[str, Any]) -> None:
    """Keep arrays under a name; a folder that cannot be written to is no error."""
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    content = out.getvalue()
    with contextlib.suppress(OSError):
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        os.replace(part, folder / f"{name}.npz")


def _recalled(name: str) -> ParticleDose | None:
    """Return a result that is kept on disk."""
    stored = load_arrays(name)
    if stored is None or set(stored) != {one.name for one in fields(ParticleDose)}:
        return None
    return ParticleDose(**{key: value.item() if value.ndim == 0 else value for key, value in stored.items()})
