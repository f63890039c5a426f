"""How the energy of an emitting centre reaches an acceptor: by resonance, or as light that is taken up again.

    J    = integral F(l) eps(l) l^4 dl                                overlap; F has a unit area
    R0^6 = 9 ln 10 kappa^2 Q J / (128 pi^5 n^4 N_A)                   Foerster radius
    E    = m R0^6 / (m R0^6 + r^6)                                    m acceptors at one distance r
    E    = 1 - integral exp(-t - n V [sqrt(pi x) erf(sqrt x) - 1 + exp(-x)]) dt      acceptors at random around it
           V = 4 pi d^3 / 3, x = t (R0 / d)^6, none of them nearer than d
    A    = integral F [1 - p(mu R)] dl,  p(t) = 3 / (8 t^3) [2 t^2 - 1 + (1 + 2 t) exp(-2 t)]
    share = E + (1 - E) A

A is the light that a sphere of radius R, which shines evenly, keeps from leaving (case_1953). The random acceptors are
exact for still ones of density n (foerster_1949); for d = 0 the law of Foerster comes out, for many near ones the sum
of all rates. Inside lengths are in nm, absorptivities in L/mol/cm.

Validity: dipoles that turn freely or lie at random (kappa^2 = 2/3), donors and acceptors further apart than they are
wide (about 1 nm), the same refractive index all over. Exchange (Dexter) at contact is left out. Sources: foerster_1949,
lakowicz_2006, case_1953.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array
from nanotrial.radiation.scintillation import emission

if TYPE_CHECKING:
    from nanotrial.catalogue.radiation_schema import Photosensitiser, Scintillator

AVOGADRO = 6.02214076e23
ELECTRONVOLT_NANOMETRE = 1239.841984
# Random orientation, and between water (1.33) and the crystals (1.5 to 1.8).
ORIENTATION, REFRACTIVE_INDEX = 2.0 / 3.0, 1.5
# nm^6 per L/mol/cm nm^4: 9 ln 10 / (128 pi^5 N_A), and 1e17 nm^2 in L/cm.
FOERSTER = 9.0 * np.log(10.0) / (128.0 * np.pi**5 * AVOGADRO) * 1e17
# What an acceptor brings along of volume: organic matter, kg/m^3.
ORGANIC = 1300.0
FULL_WIDTHS = 2.0 * np.sqrt(2.0 * np.log(2.0))


def absorptivity(acceptor: Photosensitiser | Scintillator, wavelengths: Array) -> Array:
    """Return the molar absorptivity (L/mol/cm) at wavelengths (nm): the sum of bands, gaussian in photon energy."""
    at = ELECTRONVOLT_NANOMETRE / wavelengths
    total = np.zeros_like(at)
    for band in acceptor.bands:
        peak, width = band.peak.si * 1e9, band.width.si * 1e9
        centre = ELECTRONVOLT_NANOMETRE / peak
        spread = centre * width / peak / FULL_WIDTHS
        # L/mol/cm is 0.1 m2/mol.
        total += 10.0 * band.molar_absorptivity.si * np.exp(-0.5 * ((at - centre) / spread) ** 2)
    return total


def overlap(scintillator: Scintillator, acceptor: Photosensitiser) -> float:
    """Return the overlap integral of emission and absorption (nm4 L/mol/cm)."""
    wavelengths, shares = emission(scintillator)
    return float(np.sum(shares * absorptivity(acceptor, wavelengths) * wavelengths**4))


def foerster_radius(
    integral: float,
    quantum_efficiency: float,
    refractive_index: float = REFRACTIVE_INDEX,
    orientation: float = ORIENTATION,
) -> float:
    """Return the distance (nm) at which a donor gives half its energy to one acceptor.

    Arguments:
        integral: overlap, nm4 L/mol/cm.
        quantum_efficiency: of the donor without acceptor, 0 to 1.
        refractive_index: of what lies between.
        orientation: kappa squared, 0 to 4; 2/3 for random dipoles.

    Source: foerster_1949; the constant as in lakowicz_2006.
    """
    return float((FOERSTER * orientation * quantum_efficiency * integral / refractive_index**4) ** (1.0 / 6.0))


def resonance_efficiency(radius: float, distance: float, acceptors: float = 1.0) -> float:
    """Return the share of its excitations that a donor gives to acceptors at one distance.

    Arguments:
        radius: Foerster radius, nm.
        distance: to each of the acceptors, nm.
        acceptors: how many there are.

    Source: foerster_1949.
    """
    if distance <= 0.0:
        return 1.0 if acceptors * radius > 0.0 else 0.0
    rate = acceptors * (radius / distance) ** 6
    return float(rate / (1.0 + rate))


def efficiency_among(radius: float, density: float, nearest: float) -> float:
    """Return the share of its excitations that a donor gives to acceptors spread at random around it.

    Arguments:
        radius: Foerster radius, nm.
        density: of acceptors, 1/nm3.
        nearest: distance within which there are none, nm; 0 allowed.

    Source: foerster_1949, with the closest approach put in.
    """
    from scipy.special import erf

    if density * radius <= 0.0:
        return 0.0
    # Even steps in ln t: the integrand fades at both ends, where such a sum is exact to rounding.
    t = np.exp(np.linspace(-50.0, np.log(80.0), 1500))
    step = (np.log(80.0) + 50.0) / 1499.0
    if nearest > 0.0:
        x = t * (radius / nearest) ** 6
        near = 4.0 / 3.0 * np.pi * nearest**3 * (np.sqrt(np.pi * x) * erf(np.sqrt(x)) + np.expm1(-x))
    else:
        near = 4.0 / 3.0 * np.pi * radius**3 * np.sqrt(np.pi * t)
    return float(np.clip(1.0 - step * np.sum(t * np.exp(-t - density * near)), 0.0, 1.0))


def kept_in_sphere(depths: Array) -> Array:
    """Return the share of light that an evenly shining sphere takes up itself, by its optical depths mu R.

    1 - p with p = 3 / (8 t^3) [2 t^2 - 1 + (1 + 2 t) exp(-2 t)]; 3 t / 4 where it is thin. Source: case_1953.
    """
    t = np.maximum(np.asarray(depths, dtype=float), 0.0)
    thick = np.maximum(t, 1e-2)
    escaped = 3.0 / (8.0 * thick**3) * (2.0 * thick**2 - 1.0 + (1.0 + 2.0 * thick) * np.exp(-2.0 * thick))
    # The series, where the closed form would lose its digits.
    series = 0.75 * t - 0.4 * t**2 + t**3 / 6.0
    return np.asarray(np.where(t < 1e-2, series, 1.0 - escaped))


def reabsorbed(scintillator: Scintillator, acceptor: Photosensitiser, amount: float, radius: float) -> float:
    """Return the share of its own light that a sphere with an acceptor in it takes up.

    Arguments:
        scintillator, acceptor: sheets.
        amount: acceptor in the sphere, mol/L.
        radius: nm.
    """
    return inner_filter(scintillator, acceptor, amount, 0.0, radius * 1e-7)


def taken_up(
    acceptor: Photosensitiser | Scintillator, amount: float, others: Array, radius: float, wavelengths: Array
) -> Array:
    """Return the share of light that acceptors in an evenly shining sphere take up, at wavelengths (nm, shape (n,)).

    Arguments:
        acceptor: sheet with bands.
        amount: of it in the sphere, mol/L.
        others: absorption coefficient of all else at the wavelengths, 1/cm.
        radius: of the sphere, cm.

    Scattering is left out; it lengthens the path, so that less leaves through the surface. Source: case_1953.
    """
    wanted = np.log(10.0) * absorptivity(acceptor, wavelengths) * amount
    total = wanted + others
    part = np.divide(wanted, total, out=np.zeros_like(wanted), where=total > 0.0)
    return np.asarray(part * kept_in_sphere(total * radius))


def inner_filter(
    scintillator: Scintillator, acceptor: Photosensitiser, amount: float, others: float, radius: float
) -> float:
    """Return the share of a scintillator's free light that acceptors in a tumour take up, against its blood.

    Arguments:
        scintillator, acceptor: sheets.
        amount: acceptor in the tumour, mol/L.
        others: absorption coefficient of the tissue itself at the emission, 1/cm.
        radius: of the tumour, cm.
    """
    wavelengths, shares = emission(scintillator)
    return float(shares @ taken_up(acceptor, amount, np.full_like(wavelengths, others), radius, wavelengths))


def acceptor_amount(scintillator: Scintillator, acceptor: Photosensitiser, acceptor_fraction: float) -> float:
    """Return the acceptor in a particle (mol/L) from its share of the mass; the volumes of both add.

    Raises:
        InputError: a fraction outside 0 to 1, or an acceptor whose molar mass is not known.
    """
    if not 0.0 <= acceptor_fraction < 1.0:
        raise InputError("acceptor_fraction", f"{acceptor_fraction:g}", "a mass fraction from 0 to below 1")
    if acceptor.molar_mass is None:
        raise InputError("acceptor", f"{acceptor.name} without a molar mass", "a sheet with `molar_mass`")
    volume = (1.0 - acceptor_fraction) / scintillator.density.si + acceptor_fraction / ORGANIC
    return acceptor_fraction / acceptor.molar_mass.si / volume * 1e-3


def transfer_efficiency(
    scintillator: Scintillator, acceptor: Photosensitiser, acceptor_fraction: float, distance: float, diameter: float
) -> float:
    """Return the share of a particle's scintillation photons whose energy reaches an acceptor in or on it.

    share = E + (1 - E) A: resonance first, then light that the particle takes up itself; 0 to 1.

    Arguments:
        scintillator, acceptor: sheets of the catalogue.
        acceptor_fraction: mass of acceptor in the mass of the particle, 0 to 1.
        distance: from an emitting centre to the acceptors around it (m): they lie at the mean density of the
            particle from there outwards.
        diameter: of the particle with its acceptors (m).

    The photons are those of the yield in the sheet: what a centre with a low quantum efficiency would pass on beyond
    them is not counted. A centre under a flat coat sees acceptors on one side only, so its rate is up to eight times
    lower; crowding of acceptors in that coat works the other way.

    Raises:
        InputError: a fraction outside 0 to 1, a negative distance, or an acceptor without a molar mass.
    """
    if distance < 0.0 or diameter <= 0.0:
        found = f"{distance:g} m in a particle of {diameter:g} m"
        raise InputError("distance", found, "a distance of at least 0 in a particle of some size")
    amount = acceptor_amount(scintillator, acceptor, acceptor_fraction)
    radius = foerster_radius(overlap(scintillator, acceptor), scintillator.quantum_efficiency.si)
    resonant = efficiency_among(radius, amount * AVOGADRO * 1e-24, distance * 1e9)
    kept = reabsorbed(scintillator, acceptor, amount, 0.5e9 * diameter)
    return min(1.0, resonant + (1.0 - resonant) * kept)
