"""Photon budgets: what radiation can make by way of light, beside what photodynamic damage needs.

    made = D f w  x  Y  x  eta  x  Phi                scintillators in a beam
    made = N  x  n_C  x  a  x  Phi                    Cerenkov light of a nuclide
    ratio = (a_donor + Y E c M / rho) eta / a_acceptor        relay by a chelate over direct uptake

D dose to water, f dose ratio, w mass fraction, Y photons per energy, eta share that reaches the acceptor, Phi yield of
product; N decays per mass, n_C photons per decay, a share of them that the acceptor takes up against the tissue. In the
relay c M / rho is the mass fraction of the chelate, E the energy of electrons per decay: chelates take up light and, by
their mass, energy of electrons.

Thresholds: cell death by photodynamic treatment takes 0.1 to 1 mmol/L of reacted singlet oxygen (wang_2010, qiu_2016);
nitric oxide sensitises cells without oxygen from 1 to 100 umol/L (mitchell_1993). Both hold for all of a volume: what
is made next to one organelle can act at less, and a budget does not say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array, quantity, read_quantity
from nanotrial.radiation.light_transfer import taken_up, transfer_efficiency
from nanotrial.radiation.scintillation import dose_ratio, read_fraction, read_scintillator

if TYPE_CHECKING:
    from nanotrial.catalogue.radiation_schema import Photosensitiser, Scintillator
    from nanotrial.radiation.nuclides import Nuclide

AVOGADRO = 6.02214076e23
# mol/m3: least and usual amount that has to react in all of a volume.
THRESHOLDS = {"singlet_oxygen": (0.1, 1.0), "nitric_oxide": (1e-3, 0.1)}
BLUEST, REDDEST = 250.0, 900.0  # nm, of Cerenkov light that counts


@dataclass(frozen=True)
class LightBudget:
    """A chain from radiation to product: ``factors`` in order (name, number, unit), whose product is made per mass.

    ``made`` is molecules per kg of medium, ``amount`` their concentration (mol/m3), ``needed`` the least and the usual
    concentration that acts when it fills a volume (mol/m3).
    """

    product: str
    factors: tuple[tuple[str, float, str], ...]
    made: float
    amount: float
    needed: tuple[float, float]

    @property
    def concentration(self) -> Any:
        """Return the concentration of the product (quantity, mol/m3)."""
        return quantity(self.amount, "mol/m^3")

    @property
    def shortfall(self) -> tuple[float, float]:
        """Return by which factors the product falls short of what is needed; below 1 there is enough."""
        return tuple(n / self.amount if self.amount > 0.0 else np.inf for n in self.needed)  # type: ignore[return-value]

    @property
    def statement(self) -> str:
        """Return what is needed and what can be had, in one sentence."""
        low, high = self.needed
        name, (least, usual) = self.product.replace("_", " "), self.shortfall
        had = f"needs {low:g} to {high:g} mmol/L of {name}, can have {self.amount:.3g}"
        return f"{had}: " + (f"{least:.2g} to {usual:.2g} times too little" if least > 1.0 else "enough")


def photon_budget(
    absorbed_dose: object,
    mass_fraction: object,
    dose_ratio: float,
    photons_per_energy: object,
    transferred: float,
    product_yield: float,
    *,
    product: str = "singlet_oxygen",
    density: object = "1 g/cm^3",
) -> LightBudget:
    """Return the budget of scintillators in a medium from given factors.

    Arguments:
        absorbed_dose: to water, such as ``"2 Gy"``.
        mass_fraction: scintillator in the medium, ``"0.1 mg/g"`` or 1e-4.
        dose_ratio: dose to the scintillator over that to water.
        photons_per_energy: such as ``"20 1/keV"``.
        transferred: share of photons whose energy reaches the acceptor, 0 to 1.
        product_yield: product per excited acceptor.
        product: ``singlet_oxygen`` or ``nitric_oxide``.
        density: of the medium.

    Raises:
        InputError: a negative factor, a share above 1, or an unknown product.
        UnitError: a wrong unit.
    """
    dose = read_quantity(absorbed_dose, "Gy", "absorbed_dose", 0.0)
    fraction = read_fraction(mass_fraction, "mass_fraction")
    light = read_quantity(photons_per_energy, "1/J", "photons_per_energy", 0.0)
    for name, share, most in (("dose_ratio", dose_ratio, np.inf), ("transferred", transferred, 1.0)):
        if not 0.0 <= share <= most:
            raise InputError(name, f"{share:g}", "0 to 1" if most == 1.0 else "a number of at least 0")
    factors = (
        *(("dose to water", dose, "Gy"), ("dose ratio", float(dose_ratio), "1"), ("mass fraction", fraction, "1")),
        *(("photons per energy", light, "1/J"), ("transferred", float(transferred), "1")),
        ("product yield", float(product_yield), "1"),
    )
    return _budget(product, factors, density)


def light_budget(
    scintillator: Scintillator | str,
    photosensitiser: Photosensitiser | str,
    beam: object,
    absorbed_dose: object,
    mass_fraction: object,
    *,
    acceptor_fraction: object,
    distance: object,
    diameter: object,
    density: object = "1 g/cm^3",
) -> LightBudget:
    """Return the budget of scintillating particles that carry a photosensitiser, in a beam.

    Arguments:
        scintillator, photosensitiser: sheets, or ids of the catalogue.
        beam: a Beam, or what ``beams.beam`` takes.
        absorbed_dose: to water, such as ``"2 Gy"``.
        mass_fraction: particles in the medium, ``"0.1 mg/g"`` or 1e-4.
        acceptor_fraction: photosensitiser in the particle, by mass.
        distance: from emitting centres to the acceptors around them, such as ``"3 nm"``.
        diameter: of the particle, such as ``"50 nm"``.
        density: of the medium.

    Charged-particle equilibrium in the particle: an upper bound for small ones.

    Raises:
        InputError: an unknown beam, a fraction outside 0 to 1, or an acceptor without a molar mass.
        CatalogueError: an unknown scintillator or photosensitiser.
    """
    sheet, acceptor = read_scintillator(scintillator), read_photosensitiser(photosensitiser)
    moved = transfer_efficiency(
        sheet,
        acceptor,
        read_fraction(acceptor_fraction, "acceptor_fraction"),
        read_quantity(distance, "m", "distance", 0.0),
        read_quantity(diameter, "m", "diameter", 0.0),
    )
    per_energy = quantity(sheet.light_yield.si, "1/J")
    ratio, made = dose_ratio(sheet, beam), acceptor.product_yield.si
    return photon_budget(
        absorbed_dose, mass_fraction, ratio, per_energy, moved, made, product=acceptor.product, density=density
    )


def read_photosensitiser(what: Photosensitiser | str) -> Photosensitiser:
    """Return a sheet as it is, or that of an id; an unknown one raises with the nearest names."""
    if isinstance(what, str):
        from nanotrial.catalogue.lookup import Catalogue

        sheet: Photosensitiser = Catalogue().load("photosensitisers", what, "photosensitiser")
        return sheet
    return what


def cerenkov_budget(
    nuclide: object,
    photosensitiser: Photosensitiser | str,
    decays: object,
    amount: object,
    tissue_absorption: object,
    diameter: object,
    *,
    density: object = "1 g/cm^3",
) -> LightBudget:
    """Return the budget of Cerenkov light of a nuclide that a photosensitiser in the same tumour takes up.

    Arguments:
        nuclide: a Nuclide, or a name such as ``"89Zr"``.
        photosensitiser: a sheet, or the id of one.
        decays: per mass of tumour, such as ``"1e11 1/g"``.
        amount: photosensitiser in the tumour, such as ``"10 umol/L"``.
        tissue_absorption: coefficient of the tissue without it, such as ``"2 1/cm"``, or a function of wavelengths (nm)
            that returns 1/cm.
        diameter: of the tumour.
        density: of the tumour.

    Light from 250 to 900 nm; scattering, which keeps light in, is left out.

    Raises:
        InputError: an unknown nuclide or a negative number.
        CatalogueError: an unknown photosensitiser.
    """
    from nanotrial.radiation.cerenkov import spectrum_per_decay

    acceptor, source = read_photosensitiser(photosensitiser), _nuclide(nuclide)
    waves = _wavelengths()
    light = spectrum_per_decay(source, waves)
    share = _taken(acceptor, read_quantity(amount, "mol/L", "amount", 0.0), tissue_absorption, diameter, waves)
    photons = float(np.trapezoid(light, waves))
    taken = float(np.trapezoid(light * share, waves)) / photons if photons > 0.0 else 0.0
    factors = (
        ("decays", read_quantity(decays, "1/kg", "decays", 0.0), "1/kg"),
        ("photons per decay", photons, "1"),
        ("taken up", taken, "1"),
        ("product yield", acceptor.product_yield.si, "1"),
    )
    return _budget(acceptor.product, factors, density)


@dataclass(frozen=True)
class Relay:
    """Excitations of a dye per decay: ``direct`` by Cerenkov light, and through a chelate by the two ways.

    ``by_light`` is Cerenkov light that the chelate takes up and hands on, ``by_electrons`` energy of electrons that it
    takes up by its mass and hands on.
    """

    direct: float
    by_light: float
    by_electrons: float

    @property
    def ratio(self) -> float:
        """Return what the relay adds over direct uptake; infinite where the dye takes up nothing itself."""
        through = self.by_light + self.by_electrons
        return through / self.direct if self.direct > 0.0 else np.inf


def relay(
    nuclide: object,
    chelate: Scintillator | str,
    photosensitiser: Photosensitiser | str,
    *,
    chelate_amount: object,
    amount: object,
    transferred: float,
    tissue_absorption: object,
    diameter: object,
    density: object = "1 g/cm^3",
) -> Relay:
    """Return how a lanthanide chelate between nuclide and dye compares with Cerenkov light alone.

    Arguments:
        nuclide, photosensitiser, amount, tissue_absorption, diameter, density: as in ``cerenkov_budget``.
        chelate: a scintillator with ``bands`` and ``molar_mass``, such as ``"eu_dtpa"``.
        chelate_amount: in the tumour, such as ``"100 umol/L"``.
        transferred: share of the chelate's excitations that reach a dye (``light_transfer``), 0 to 1.

    All energy of electrons is taken to stay in the tumour; gamma rays add little to small ones.

    Raises:
        InputError: a chelate that takes up no light, a share outside 0 to 1, an unknown nuclide.
        CatalogueError: an unknown sheet.
    """
    from nanotrial.radiation.cerenkov import spectrum_per_decay

    donor, acceptor = read_scintillator(chelate), read_photosensitiser(photosensitiser)
    if not donor.bands or donor.molar_mass is None:
        raise InputError("chelate", donor.name, "a sheet with `bands` and `molar_mass`", "Such as `eu_dtpa`.")
    if not 0.0 <= transferred <= 1.0:
        raise InputError("transferred", f"{transferred:g}", "0 to 1")
    source, waves = _nuclide(nuclide), _wavelengths()
    held = read_quantity(chelate_amount, "mol/L", "chelate_amount", 0.0)
    light = spectrum_per_decay(source, waves)
    direct = _taken(acceptor, read_quantity(amount, "mol/L", "amount", 0.0), tissue_absorption, diameter, waves)
    first = _taken(donor, held, tissue_absorption, diameter, waves)
    share = held * 1e3 * donor.molar_mass.si / read_quantity(density, "kg/m^3", "density", 1.0)
    energy = source.electron_energy.to("J").magnitude
    return Relay(
        direct=float(np.trapezoid(light * direct, waves)),
        by_light=float(np.trapezoid(light * first, waves)) * transferred,
        by_electrons=float(energy * share * donor.light_yield.si) * transferred,
    )


def _taken(
    acceptor: Photosensitiser | Scintillator, amount: float, tissue: object, diameter: object, waves: Array
) -> Array:
    """Return the share of light at each wavelength that an acceptor in a sphere of tissue takes up."""
    radius = 0.5 * read_quantity(diameter, "cm", "diameter", 0.0)
    if callable(tissue):
        others = np.asarray(tissue(waves), dtype=float)
    else:
        others = np.full_like(waves, read_quantity(tissue, "1/cm", "tissue_absorption", 0.0))
    return taken_up(acceptor, amount, others, radius, waves)


def _wavelengths() -> Array:
    # Narrow lines of lanthanides need steps of a nanometre.
    return np.arange(BLUEST, REDDEST + 0.5, 1.0)


def _nuclide(what: object) -> Nuclide:
    from nanotrial.radiation.nuclides import Nuclide, nuclide

    return what if isinstance(what, Nuclide) else nuclide(what)  # type: ignore[arg-type]


def _budget(product: str, factors: tuple[tuple[str, float, str], ...], density: object) -> LightBudget:
    if product not in THRESHOLDS:
        raise InputError("product", f"`{product}`", "one of " + ", ".join(f"`{p}`" for p in THRESHOLDS))
    if any(number < 0.0 for _, number, _ in factors):
        bad = next(name for name, number, _ in factors if number < 0.0)
        raise InputError(bad, "a negative number", "a number of at least 0")
    made = float(np.prod([number for _, number, _ in factors]))
    per_volume = read_quantity(density, "kg/m^3", "density", 0.0) / AVOGADRO
    return LightBudget(product, factors, made, made * per_volume, THRESHOLDS[product])
