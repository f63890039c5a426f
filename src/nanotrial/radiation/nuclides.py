"""Radionuclides: half-life, photons, electrons and beta spectra per decay.

Emissions are those of ICRP 107 (icrp_107), long tables shortened: a line that carries less than 1e-4 of the energy of
its table is merged with its neighbours, so that the energies and the yields of each table still sum to those printed.
Beta spectra have the allowed shape, or that of a unique forbidden transition, with the Fermi function of a point
nucleus (behrens_1982); screening and the forbiddenness of non-unique transitions are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import InputError, nearest
from nanotrial.radiation.arguments import Array, quantity, read_quantities, read_quantity

if TYPE_CHECKING:
    import xarray as xr

    from nanotrial.catalogue.radiation_schema import BetaBranch, NuclideSheet, SpectrumTable

ELECTRON_REST = 510.998950  # keV
FINE_STRUCTURE = 7.2973525693e-3
# Radius of a nucleus, 1.2 fm A^(1/3), in reduced Compton wavelengths of the electron (386.159 fm).
NUCLEAR_RADIUS = 1.2 / 386.15926796
NODES = 240


@dataclass(frozen=True, eq=False)
class Nuclide:
    """A radionuclide; numbers are per decay, and energies are means over all decays.

    ``photon_lines`` and ``electron_lines`` are pairs of arrays: energies (keV) and yields (1). Electrons are conversion
    and Auger electrons; betas are branches.
    """

    name: str
    symbol: str
    atomic_number: int
    mass_number: int
    half_life: Any
    photon_lines: tuple[Array, Array]
    electron_lines: tuple[Array, Array]
    beta_minus: tuple[BetaBranch, ...]
    beta_plus: tuple[BetaBranch, ...]
    description: str = ""

    @property
    def decay_constant(self) -> Any:
        """Return ln 2 / T (quantity, 1/s)."""
        return quantity(np.log(2.0) / self.half_life.to("s").magnitude, "1/s")

    @property
    def beta_energy(self) -> Any:
        """Return the mean energy of beta particles of both signs per decay (quantity, keV)."""
        return quantity(sum(b.mean * b.share for b in (*self.beta_minus, *self.beta_plus)), "keV")

    @property
    def beta_plus_energy(self) -> Any:
        """Return the part of ``beta_energy`` that positrons carry (quantity, keV); annihilation is with the photons."""
        return quantity(sum((b.mean * b.share for b in self.beta_plus), 0.0), "keV")

    @property
    def line_electron_energy(self) -> Any:
        """Return the mean energy of conversion and Auger electrons per decay (quantity, keV)."""
        return quantity(float(np.dot(*self.electron_lines)), "keV")

    @property
    def electron_energy(self) -> Any:
        """Return the mean energy per decay of betas, positrons, conversion and Auger electrons (quantity, keV)."""
        return self.beta_energy + self.line_electron_energy

    @property
    def photon_energy(self) -> Any:
        """Return the mean energy per decay of gamma, X-ray and annihilation photons (quantity, keV)."""
        return quantity(float(np.dot(*self.photon_lines)), "keV")

    @property
    def photons(self) -> xr.DataArray:
        """Return yields per decay against photon energy (keV), gamma, X-ray and annihilation photons together."""
        return _lines(self.photon_lines, f"photons of {self.name}")

    @property
    def electrons(self) -> xr.DataArray:
        """Return yields per decay of conversion and Auger electrons against energy (keV)."""
        return _lines(self.electron_lines, f"electrons of {self.name}")

    def beta_spectrum(self, energies: object) -> xr.DataArray:
        """Return how many beta particles of both signs a decay emits per interval of energy.

        dN/dT = sum of share p W (Q - T)^2 F(Z, W) C / integral; C is 1, or q^2 + L p^2 where a branch is unique
        first-forbidden, with momenta p and q of electron and neutrino.

        Arguments:
            energies: kinetic energies, texts or quantities, shape (n,).

        Returns an array (n,) in 1/keV per decay; it is 0 where a nuclide emits no betas, and above the endpoint.
        Source: behrens_1982.

        Raises:
            UnitError: energies without a unit of energy.
            InputError: a negative energy.
        """
        import xarray as xr

        kinetic = np.atleast_1d(read_quantities(energies, "keV", "energies", 0.0, 1e5))
        density = np.zeros_like(kinetic)
        for sign, branches in ((-1, self.beta_minus), (1, self.beta_plus)):
            for branch in branches:
                density += branch.share * branch_spectrum(branch, kinetic, self.atomic_number, self.mass_number, sign)
        attributes = {"units": "1/keV", "long_name": f"beta particles of {self.name} per decay and energy"}
        coordinates = {"energy": ("energy", kinetic, {"units": "keV"})}
        return xr.DataArray(density, dims="energy", coords=coordinates, attrs=attributes)

    def activity(self, initial: object, time: object) -> Any:
        """Return the activity after a time, A exp(-ln 2 t / T) (quantity, Bq).

        Arguments:
            initial: activity at the start, such as ``"10 MBq"``.
            time: time since then; an array of quantities gives an array.

        Raises:
            UnitError: a wrong unit.
            InputError: a negative activity or time.
        """
        start = read_quantity(initial, "Bq", "initial", 0.0)
        passed = read_quantities(time, "s", "time", 0.0)
        return quantity(start * np.exp(-self.decay_constant.magnitude * passed), "Bq")

    def decays(self, activity: object, duration: object) -> Any:
        """Return how many nuclei decay in a time, A (1 - exp(-k t)) / k (quantity, 1).

        Arguments:
            activity: activity at the start, such as ``"10 MBq"``.
            duration: time, such as ``"24 h"``; an array of quantities gives an array.

        Raises:
            UnitError: a wrong unit.
            InputError: a negative activity or time.
        """
        start = read_quantity(activity, "Bq", "activity", 0.0)
        passed = read_quantities(duration, "s", "duration", 0.0)
        rate = self.decay_constant.magnitude
        return quantity(-start * np.expm1(-rate * passed) / rate, "1")


def nuclide(name: str) -> Nuclide:
    """Return a radionuclide of the catalogue.

    Arguments:
        name: ``"131I"``, ``"I-131"``, ``"i131"``, ``"iodine-131"`` or ``"131-iodine"``; ``"99mTc"`` for an isomer.

    Raises:
        InputError: no such nuclide in the catalogue; the nearest names are given.
    """
    if not isinstance(name, str):
        raise InputError("nuclide", f"{name!r}", "a name such as `131I`")
    return _of_sheet(nuclide_id(name))


def nuclide_id(name: str, where: str = "nuclide") -> str:
    """Return the id of a nuclide's sheet, such as ``i131``, from any common way to write it."""
    known = Catalogue().ids("nuclides")
    plain = re.sub(r"[\s_\-–()]+", "", name).lower()
    match = re.fullmatch(r"(\d{1,3}m?)([a-z]+)|([a-z]+?)(\d{1,3}m?)", plain)
    if match:
        mass, element = (match[1], match[2]) if match[1] else (match[4], match[3])
        identifier = f"{_symbol(element)}{mass}"
        if identifier in known:
            return identifier
        plain = identifier
    raise InputError(where, f"`{name}`", "a radionuclide of the catalogue, such as `131I`", nearest(plain, known))


def _symbol(element: str) -> str:
    """Return the small symbol of an element given by symbol or English name."""
    from nanotrial.radiation.formula import ELEMENTS, SYMBOLS

    if element in ELEMENTS:
        return next(s for s, z in SYMBOLS.items() if z == ELEMENTS[element]).lower()
    return element


@lru_cache(maxsize=64)
def _of_sheet(identifier: str) -> Nuclide:
    sheet: NuclideSheet = Catalogue().load("nuclides", identifier, "nuclide")
    return Nuclide(
        name=f"{sheet.mass_number}{'m' if identifier.endswith('m') else ''}{sheet.symbol}",
        symbol=sheet.symbol,
        atomic_number=sheet.atomic_number,
        mass_number=sheet.mass_number,
        half_life=quantity(sheet.half_life.value, sheet.half_life.unit),
        photon_lines=_arrays(sheet.photons),
        electron_lines=_arrays(sheet.electrons),
        beta_minus=tuple(sheet.beta_minus),
        beta_plus=tuple(sheet.beta_plus),
        description=sheet.description,
    )


def _arrays(table: SpectrumTable | None) -> tuple[Array, Array]:
    if table is None:
        return np.zeros(0), np.zeros(0)
    return np.asarray(table.energies, dtype=float), np.asarray(table.weights, dtype=float)


def _lines(pair: tuple[Array, Array], name: str) -> xr.DataArray:
    import xarray as xr

    coordinates = {"energy": ("energy", pair[0], {"units": "keV"})}
    return xr.DataArray(pair[1], dims="energy", coords=coordinates, attrs={"units": "1", "long_name": name})


def branch_spectrum(branch: BetaBranch, kinetic: Array, parent: int, mass_number: int, sign: int) -> Array:
    """Return the normalised spectrum (1/keV) of a branch at kinetic energies (keV).

    Arguments:
        branch: endpoint (keV) and whether it is unique first-forbidden.
        kinetic: shape (n,).
        parent, mass_number: of the nucleus that decays.
        sign: -1 for electrons, 1 for positrons.
    """
    nodes, weights = _nodes()
    grid = 0.5 * branch.endpoint * (nodes + 1.0)
    shape = _shape(grid, branch.endpoint, parent - sign, mass_number, sign, branch.unique)
    whole = 0.5 * branch.endpoint * float(weights @ shape)
    # At rest p F stays finite for electrons: the limit is taken a hair above.
    inside = (kinetic < branch.endpoint) & (kinetic >= 0.0)
    at = np.clip(kinetic, 1e-6 * branch.endpoint, None)
    shape = _shape(at[inside], branch.endpoint, parent - sign, mass_number, sign, branch.unique)
    density = np.zeros_like(kinetic)
    density[inside] = shape / whole
    return density


@lru_cache(maxsize=1)
def _nodes() -> tuple[Array, Array]:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return np.asarray(nodes), np.asarray(weights)


def mean_of_branch(branch: BetaBranch, parent: int, mass_number: int, sign: int) -> float:
    """Return the mean kinetic energy (keV) of a branch that its endpoint gives."""
    nodes, weights = _nodes()
    grid = 0.5 * branch.endpoint * (nodes + 1.0)
    shape = _shape(grid, branch.endpoint, parent - sign, mass_number, sign, branch.unique)
    return float(weights @ (grid * shape) / (weights @ shape))


def _shape(kinetic: Array, endpoint: float, daughter: int, mass_number: int, sign: int, unique: int) -> Array:
    """Return p W q^2 F C in units of the electron's rest energy; C is 1, or q^2 + L p^2 with L = F_1 / F_0."""
    energy = 1.0 + kinetic / ELECTRON_REST
    momentum = np.sqrt(energy**2 - 1.0)
    left = np.clip((endpoint - kinetic) / ELECTRON_REST, 0.0, None)
    first = fermi_function(energy, daughter, mass_number, sign)
    shape = momentum * energy * left**2
    if not unique:
        return np.asarray(shape * first)
    return np.asarray(shape * (left**2 * first + momentum**2 * fermi_function(energy, daughter, mass_number, sign, 2)))


def fermi_function(energy: Array, daughter: int, mass_number: int, sign: int, k: int = 1) -> Array:
    """Return F(Z, W) of partial wave k: how the field of the nucleus draws electrons in and keeps positrons out.

    F = 2 (k + g) / k [k (2 k - 1)!!]^2 4^(k - 1) (2 p R)^(2 g - 2 k) exp(pi y) |Gamma(g + i y) / Gamma(2 g + 1)|^2 with
    g^2 = k^2 - (alpha Z)^2, y = alpha Z W / p and Z negative for positrons; k = 1 is the usual function, and each tends
    to 1 without charge. ``energy`` W holds the rest energy and is in units of it. Source: behrens_1982.
    """
    from scipy.special import factorial2, gammaln, loggamma

    charge = -sign * FINE_STRUCTURE * daughter
    momentum = np.sqrt(energy**2 - 1.0)
    order = np.sqrt(k**2 - charge**2)
    field = charge * energy / momentum
    radius = NUCLEAR_RADIUS * mass_number ** (1.0 / 3.0)
    logarithm = np.pi * field + 2.0 * np.real(loggamma(order + 1j * field)) - 2.0 * gammaln(2.0 * order + 1.0)
    front = 2.0 * (k + order) / k * (k * factorial2(2 * k - 1)) ** 2 * 4.0 ** (k - 1)
    return np.asarray(front * (2.0 * momentum * radius) ** (2.0 * order - 2.0 * k) * np.exp(logarithm))
