"""From the energy that a beam leaves in a scintillator to its light.

    e  = D f w                       energy per mass of medium (J/kg), f the dose to the scintillator over that to water
    f  = sum phi E (mu_en/rho)_s / sum phi E (mu_en/rho)_w      under charged-particle equilibrium
    n  = Y e                         photons per mass of medium, Y photons per energy
    F  = gaussian in photon energy, peak hc / l_0, full width hc dl / l_0^2

Validity: 1 keV to 20 MeV. Particles much smaller than the range of electrons (micrometres at 20 keV) take up less than
this from their own photoelectrons, and something from those of their neighbours: ``dose_ratio`` is then an upper bound,
which ``particles.particle_dose`` makes exact. The yield of a sheet is that of large crystals unless it says otherwise.
Sources: definition; yields in the sheets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array, quantity, read_quantity

if TYPE_CHECKING:
    import xarray as xr

    from nanotrial.catalogue.radiation_schema import Scintillator

ELECTRONVOLT_NANOMETRE = 1239.841984
FULL_WIDTHS = 2.0 * np.sqrt(2.0 * np.log(2.0))
NODES = 401
REACH = 6.0  # standard deviations


def emission(scintillator: Scintillator) -> tuple[Array, Array]:
    """Return wavelengths (nm, falling) and the share of photons at each, which sum to 1."""
    peak, width = scintillator.peak.si * 1e9, scintillator.width.si * 1e9
    centre = ELECTRONVOLT_NANOMETRE / peak
    spread = centre * width / peak / FULL_WIDTHS
    # A band as wide as its own energy would reach below nothing.
    lowest = max(centre - REACH * spread, 0.1 * centre)
    energies = np.linspace(lowest, centre + REACH * spread, NODES)
    shares = np.exp(-0.5 * ((energies - centre) / spread) ** 2)
    return ELECTRONVOLT_NANOMETRE / energies, shares / shares.sum()


def emission_spectrum(scintillator: Scintillator | str) -> xr.DataArray:
    """Return the share of photons per wavelength (1/nm) against wavelength (nm), rising; its integral is 1.

    Arguments:
        scintillator: a sheet, or the id of one.

    Raises:
        CatalogueError: no such scintillator.
    """
    import xarray as xr

    sheet = read_scintillator(scintillator)
    wavelengths, shares = emission(sheet)
    step = ELECTRONVOLT_NANOMETRE / wavelengths[1] - ELECTRONVOLT_NANOMETRE / wavelengths[0]
    density = shares / step * ELECTRONVOLT_NANOMETRE / wavelengths**2
    coordinates = {"wavelength": ("wavelength", wavelengths[::-1], {"units": "nm"})}
    attributes = {"units": "1/nm", "long_name": f"emission of {sheet.name}"}
    return xr.DataArray(density[::-1], dims="wavelength", coords=coordinates, attrs=attributes)


def read_scintillator(what: Scintillator | str) -> Scintillator:
    """Return a sheet as it is, or that of an id; an unknown one raises with the nearest names."""
    if isinstance(what, str):
        from nanotrial.catalogue.lookup import Catalogue

        sheet: Scintillator = Catalogue().load("scintillators", what, "scintillator")
        return sheet
    return what


def dose_ratio(scintillator: Scintillator | str, beam: object) -> float:
    """Return the dose to a scintillator over that to water in the same beam.

    Arguments:
        scintillator: a sheet, or the id of one.
        beam: a Beam, or what ``beams.beam`` takes.

    Charged-particle equilibrium inside the scintillator: an upper bound for nanoparticles.

    Raises:
        InputError: no such beam.
    """
    from nanotrial.radiation.attenuation import coefficients
    from nanotrial.radiation.beams import Beam
    from nanotrial.radiation.beams import beam as make
    from nanotrial.radiation.composition import composition

    shone = beam if isinstance(beam, Beam) else make(beam)
    weight = shone.fluence * shone.energies
    solid = coefficients(composition(read_scintillator(scintillator).formula), shone.energies).absorption
    water = coefficients(composition("water"), shone.energies).absorption
    return float(np.sum(weight * solid) / np.sum(weight * water))


def scintillation_photons(
    scintillator: Scintillator | str, beam: object, absorbed_dose: object, mass_fraction: object
) -> Any:
    """Return how many photons scintillators in a medium make (quantity, 1/kg of medium).

    n = Y D f w.

    Arguments:
        scintillator: a sheet, or the id of one.
        beam: a Beam, or what ``beams.beam`` takes.
        absorbed_dose: to water, such as ``"2 Gy"``.
        mass_fraction: scintillator in the medium: ``"0.1 mg/g"``, ``"1 %"`` or 1e-4.

    Raises:
        InputError: a negative dose, a fraction outside 0 to 1, or no such beam.
        UnitError: a dose without a unit.
    """
    sheet = read_scintillator(scintillator)
    dose = read_quantity(absorbed_dose, "Gy", "absorbed_dose", 0.0)
    fraction = read_fraction(mass_fraction, "mass_fraction")
    return quantity(sheet.light_yield.si * dose * dose_ratio(sheet, beam) * fraction, "1/kg")


def read_fraction(raw: object, where: str) -> float:
    """Return a mass fraction from a number or a text such as ``"7 mg/g"``."""
    try:
        return read_quantity(raw, "1", where, 0.0, 1.0)
    except InputError as error:
        raise InputError(where, error.found, "a mass fraction from 0 to 1", "Such as `0.1 mg/g` or 1e-4.") from error
