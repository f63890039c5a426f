"""Light of electrons that are faster than light in water, from nuclides and from beams.

    dN/dx = 2 pi alpha z^2 integral [1 - 1 / (beta^2 n(l)^2)] dl / l^2       where beta n > 1   (Frank and Tamm)
    N(T)  = integral_0^T (dN/dx) / S dT'                                     while an electron of T slows down
    n^2   = 1 + sum_i A_i l^2 / (l^2 - B_i)                                  water at 20 degC, 182 to 1129 nm

per decay N is summed over the betas and the conversion and Auger electrons; per dose over the electrons that photons
set in motion under charged-particle equilibrium. Energies are in keV, wavelengths in nm, lengths in cm inside.

Validity: 1 keV to 20 MeV; electrons that stop in water (a source larger than their range). Left out: Compton electrons
of a nuclide's own gamma rays, positrons that annihilate in flight (1 to 3 % of them), straggling, and the light that
tissue takes up on its way. Soft tissue with n near 1.36 to 1.40 gives up to twice as many. Sources: frank_1937,
daimon_2007.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array, quantity, read_quantities, read_quantity

if TYPE_CHECKING:
    from nanotrial.radiation.beams import Beam
    from nanotrial.radiation.nuclides import Nuclide

FINE_STRUCTURE = 7.2973525693e-3
REST = 510.998950  # keV
SHORTEST, LONGEST = 182.0, 1129.0  # nm, of the formula for n
# Sellmeier terms at 20 degC: daimon_2007, wavelengths in micrometres.
STRENGTHS = np.array([5.684027565e-1, 1.726177391e-1, 2.086189578e-2, 1.130748688e-1])
RESONANCES = np.array([5.101829712e-3, 1.821153936e-2, 2.620722293e-2, 1.069792721e1])
FASTEST = 2.5e4  # keV
KEV_PER_JOULE = 1.0 / 1.602176634e-16
PAIR_REST = 2.0 * REST


def index_of_water(wavelengths: Array) -> Array:
    """Return the refractive index of water at 20 degC at wavelengths (nm, any shape). Source: daimon_2007."""
    square = (np.asarray(wavelengths, dtype=float)[..., None] * 1e-3) ** 2
    return np.asarray(np.sqrt(1.0 + np.sum(STRENGTHS * square / (square - RESONANCES), axis=-1)))


def refractive_index(wavelength: object) -> Any:
    """Return the refractive index of water at 20 degC (quantity, 1, in the shape of ``wavelength``).

    Arguments:
        wavelength: such as ``"550 nm"``, 182 to 1129 nm.

    Raises:
        InputError: a wavelength outside the formula.

    It falls by about 1e-4 per kelvin. Source: daimon_2007.
    """
    found = index_of_water(read_quantities(wavelength, "nm", "wavelength", SHORTEST, LONGEST))
    return quantity(found if found.ndim else float(found), "1")


def threshold(wavelength: object = "589.3 nm") -> Any:
    """Return the kinetic energy above which an electron shines in water (quantity, keV).

    T = m c^2 [1 / sqrt(1 - 1 / n^2) - 1].

    Arguments:
        wavelength: of the light; 182 to 1129 nm.

    Raises:
        InputError: a wavelength outside the formula.
    """
    index = refractive_index(wavelength).magnitude
    return quantity(REST * (1.0 / np.sqrt(1.0 - 1.0 / index**2) - 1.0), "keV")


def light_per_path(energies: Array, wavelengths: Array) -> Array:
    """Return photons per length and wavelength (1/cm/nm): shape (energies, wavelengths)."""
    beta2 = 1.0 - 1.0 / (1.0 + energies / REST) ** 2
    strength = 1.0 - 1.0 / (np.maximum(beta2, 1e-12)[:, None] * index_of_water(wavelengths) ** 2)
    # One per nm2 of wavelength is 1e7 per cm of path and nm of wavelength.
    return np.asarray(2.0 * np.pi * FINE_STRUCTURE * np.maximum(strength, 0.0) / wavelengths**2 * 1e7)


def _wavelengths(shortest: object, longest: object) -> Array:
    low = read_quantity(shortest, "nm", "shortest", SHORTEST, LONGEST)
    high = read_quantity(longest, "nm", "longest", SHORTEST, LONGEST)
    if low >= high:
        raise InputError("longest", f"{high:g} nm", f"a wavelength above the shortest, {low:g} nm")
    return np.linspace(low, high, 161)


@lru_cache(maxsize=8)
def _slowing_down() -> tuple[Array, Array]:
    """Return kinetic energies (keV) and stopping powers of water (keV/cm)."""
    from nanotrial.radiation.composition import composition
    from nanotrial.radiation.electrons.stopping import collision_stopping, radiative_stopping

    energies = np.concatenate([np.geomspace(1.0, 200.0, 40)[:-1], np.geomspace(200.0, FASTEST, 1200)])
    water = composition("water")
    stopping = collision_stopping(water, 1.0, energies) + radiative_stopping(water, energies)
    return energies, stopping * 1e3


def spectra_of_electrons(energies: Array, wavelengths: Array) -> Array:
    """Return photons per electron and wavelength (1/nm) until it rests: shape (energies, wavelengths).

    Raises:
        InputError: an energy above 25 MeV.
    """
    if np.any(energies > FASTEST):
        raise InputError("energy", f"{float(np.max(energies)):g} keV", f"at most {FASTEST:g} keV")
    grid, stopping = _slowing_down()
    rate = light_per_path(grid, wavelengths) / stopping[:, None]
    steps = 0.5 * (rate[1:] + rate[:-1]) * np.diff(grid)[:, None]
    total = np.vstack([np.zeros(len(wavelengths)), np.cumsum(steps, axis=0)])
    place = np.clip(np.searchsorted(grid, energies) - 1, 0, len(grid) - 2)
    share = np.clip((energies - grid[place]) / (grid[place + 1] - grid[place]), 0.0, 1.0)[:, None]
    return np.asarray((1.0 - share) * total[place] + share * total[place + 1])


def photons_per_path(energy: object, shortest: object = "400 nm", longest: object = "800 nm") -> Any:
    """Return the Cerenkov photons of an electron per path in water (quantity, 1/cm, in the shape of ``energy``).

    Arguments:
        energy: kinetic, such as ``"1 MeV"``.
        shortest, longest: wavelengths that count, 182 to 1129 nm.

    Raises:
        InputError: an energy or a wavelength outside the formulas.
    """
    kinetic = read_quantities(energy, "keV", "energy", 0.0, FASTEST)
    waves = _wavelengths(shortest, longest)
    found = np.atleast_1d(np.trapezoid(light_per_path(kinetic.ravel(), waves), waves, axis=1))
    return quantity(found.reshape(kinetic.shape) if kinetic.ndim else float(found[0]), "1/cm")


def photons_per_electron(energy: object, shortest: object = "400 nm", longest: object = "800 nm") -> Any:
    """Return the Cerenkov photons of an electron that stops in water (quantity, 1, in the shape of ``energy``).

    Arguments and errors are those of ``photons_per_path``. Continuous slowing down.
    """
    kinetic = read_quantities(energy, "keV", "energy", 0.0, FASTEST)
    waves = _wavelengths(shortest, longest)
    found = _light(kinetic.ravel(), waves)
    return quantity(found.reshape(kinetic.shape) if kinetic.ndim else float(found[0]), "1")


def electrons_of_decay(source: Nuclide) -> tuple[Array, Array]:
    """Return energies (keV) and numbers per decay of the betas and of the conversion and Auger electrons."""
    branches = (*source.beta_minus, *source.beta_plus)
    lines = source.electron_lines
    if not branches:
        return lines
    # Each stretch between endpoints has its own nodes: spectra end there with a kink.
    ends = [0.0, *sorted({b.endpoint for b in branches if b.share > 1e-6})]
    nodes, weights = np.polynomial.legendre.leggauss(120 if len(ends) < 6 else 40)
    half = 0.5 * np.diff(ends)[:, None]
    at = (np.array(ends[:-1])[:, None] + half * (nodes + 1.0)).ravel()
    density = source.beta_spectrum(quantity(at, "keV")).values
    return np.concatenate([at, lines[0]]), np.concatenate([density * (half * weights).ravel(), lines[1]])


def spectrum_per_decay(source: Nuclide, wavelengths: Array) -> Array:
    """Return Cerenkov photons per decay and wavelength (1/nm) at wavelengths (nm, shape (n,))."""
    energies, numbers = electrons_of_decay(source)
    return np.asarray(numbers @ spectra_of_electrons(energies, wavelengths))


def photons_per_decay(nuclide: object, shortest: object = "400 nm", longest: object = "800 nm") -> Any:
    """Return the Cerenkov photons of a decay in water (quantity, 1): its betas and conversion electrons.

    Arguments:
        nuclide: a Nuclide, or a name such as ``"90Y"``.
        shortest, longest: wavelengths that count, 182 to 1129 nm.

    Raises:
        InputError: no such nuclide, or a wavelength outside the formula.
    """
    from nanotrial.radiation.nuclides import Nuclide
    from nanotrial.radiation.nuclides import nuclide as read_nuclide

    source = nuclide if isinstance(nuclide, Nuclide) else read_nuclide(nuclide)  # type: ignore[arg-type]
    waves = _wavelengths(shortest, longest)
    return quantity(float(np.trapezoid(spectrum_per_decay(source, waves), waves)), "1")


def photons_per_dose(beam: object, shortest: object = "400 nm", longest: object = "800 nm") -> Any:
    """Return the Cerenkov photons that a beam of photons makes in water per dose (quantity, 1/kg/Gy).

    Arguments:
        beam: a Beam, or what ``beams.beam`` takes, such as ``"6 MV"``.
        shortest, longest: wavelengths that count, 182 to 1129 nm.

    Compton electrons (Klein and Nishina), photoelectrons and pairs of the primary photons in charged-particle
    equilibrium; all lose their energy in water, bremsstrahlung leaves.

    Raises:
        InputError: no such beam, or a wavelength outside the formula.
    """
    from nanotrial.radiation.attenuation import coefficients
    from nanotrial.radiation.beams import Beam
    from nanotrial.radiation.beams import beam as make
    from nanotrial.radiation.composition import composition

    shone: Beam = beam if isinstance(beam, Beam) else make(beam)
    waves = _wavelengths(shortest, longest)
    parts = coefficients(composition("water"), shone.energies)
    light = np.zeros(len(shone.energies))
    for i, energy in enumerate(shone.energies):
        kinetic, shares = compton_electrons(float(energy))
        light[i] = parts.incoherent[i] * shares @ _light(kinetic, waves)
        light[i] += parts.photoelectric[i] * float(_light(np.array([energy]), waves)[0])
        if energy > PAIR_REST:
            # The two share what is left, evenly on average.
            light[i] += (
                2.0 * parts.pair[i] * float(np.mean(_light(np.linspace(0.02, 0.98, 25) * (energy - PAIR_REST), waves)))
            )
    dose = float(np.sum(shone.fluence * shone.energies * parts.absorption))
    # Photons per keV taken up by a gram, per Gy and kg.
    return quantity(float(shone.fluence @ light) / dose * KEV_PER_JOULE, "1/kg/Gy")


def _light(energies: Array, wavelengths: Array) -> Array:
    return np.asarray(np.trapezoid(spectra_of_electrons(energies, wavelengths), wavelengths, axis=1))


def compton_electrons(energy: float) -> tuple[Array, Array]:
    """Return energies (keV) and shares (sum 1) of the electrons that photons of one energy (keV) knock on.

    The Klein-Nishina law in the cosine of the photon's angle. Source: klein_1929.
    """
    cosines, weights = np.polynomial.legendre.leggauss(64)
    ratio = 1.0 / (1.0 + energy / REST * (1.0 - cosines))
    shares = weights * ratio**2 * (ratio + 1.0 / ratio - (1.0 - cosines**2))
    return energy * (1.0 - ratio), shares / shares.sum()
