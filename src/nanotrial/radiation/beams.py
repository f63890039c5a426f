"""Beams of photons: tubes, nuclides, single lines and published spectra; filters, distance, half-value layers.

A beam is its primary photons: attenuation is exponential (total coefficient, narrow beam), scatter is left out.
Energies in keV, lengths in cm, fluence in photons per bin with a sum of 1. Valid from 1 keV to 20 MeV. Everything that
the caller left unsaid stands in ``Beam.assumptions``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.catalogue.lookup import ROOT, Catalogue, values_in
from nanotrial.errors import InputError, UnitError, nearest
from nanotrial.radiation.arguments import Array, quantity, read_quantity
from nanotrial.radiation.attenuation import coefficients
from nanotrial.radiation.composition import Composition, composition, known_density
from nanotrial.radiation.nuclides import nuclide, nuclide_id
from nanotrial.radiation.tubes import tube_spectrum
from nanotrial.units import dimension_of

if TYPE_CHECKING:
    import xarray as xr

    from nanotrial.catalogue.radiation_schema import BeamSheet

LOWEST, HIGHEST = 1.0, 20000.0  # keV
LEAST_TRANSMISSION = 1e-6
# Softer photons of a nuclide do not leave a capsule, a vial or a millimetre of tissue.
CAPSULE = 10.0  # keV
USUAL_DISTANCE = 100.0  # cm
ANODE_ANGLE = 20.0  # degrees
WINDOW = ("Be", 0.08)  # cm
USUAL_FILTER = ("Al", 0.2)  # cm
GRAY = 1.602176634e-13  # of one keV per gram
_NUMBER = r"[+]?(?:\d+\.?\d*|\.\d+)"


@dataclass(frozen=True, eq=False)
class Beam:
    """A beam: bin centres (keV, shape (n,)) and photons per bin (sum 1).

    ``relative_intensity`` is the fluence relative to the beam as named, before filters and depth and at its usual
    distance (1 m where it has none). ``assumptions`` says what was not given. Two beams are equal where their spectra
    are.
    """

    name: str
    energies: Array
    fluence: Array
    assumptions: tuple[str, ...] = ()
    relative_intensity: float = 1.0
    dose_rate: Any = None

    @cached_property
    def key(self) -> str:
        """Return a digest of the spectrum, for caches."""
        return hashlib.sha256(self.energies.tobytes() + self.fluence.tobytes()).hexdigest()

    def __eq__(self, other: object) -> bool:
        """Say whether two beams have the same spectrum."""
        return isinstance(other, Beam) and self.key == other.key

    def __hash__(self) -> int:
        """Return a hash of the spectrum."""
        return hash(self.key)

    @property
    def spectrum(self) -> xr.DataArray:
        """Return the photons per bin (sum 1) against energy (keV)."""
        import xarray as xr

        coordinates = {"energy": ("energy", self.energies, {"units": "keV"})}
        attributes = {"units": "1", "long_name": f"photons per bin of {self.name}"}
        return xr.DataArray(self.fluence, dims="energy", coords=coordinates, attrs=attributes)

    @property
    def mean_energy(self) -> Any:
        """Return the mean energy of the photons, weighted by fluence (quantity, keV)."""
        return quantity(float(self.fluence @ self.energies), "keV")

    def half_value_layer(self, material: object = "Al", order: int = 1) -> Any:
        """Return the layer that halves the air kerma of the beam, or halves it once more (quantity, mm).

        K(x) = sum of phi E (mu_en/rho)_air exp(-mu x); layer n is x_n - x_(n-1) with K(x_n) = K(0) / 2^n.

        Arguments:
            material: anything ``composition`` reads, with a density.
            order: 1 for the first layer, 2 for the second, and so on.

        Narrow beam, without scatter. Source: definition.

        Raises:
            InputError: an order below 1, or a material without a density.
        """
        if isinstance(order, bool) or not isinstance(order, int) or order < 1:
            raise InputError("order", f"{order!r}", "1, 2, 3 ...")
        layer = composition(material, "material")
        slope = known_density(layer, "material") * coefficients(layer, self.energies).total
        kerma = self.fluence * self.energies * coefficients(composition("air"), self.energies).absorption
        depths = [_depth_of_halves(kerma, slope, n) for n in (order - 1, order)]
        return quantity(10.0 * (depths[1] - depths[0]), "mm")

    def dose_per_fluence(self, medium: object = "water") -> Any:
        """Return the dose under charged-particle equilibrium for a fluence of one photon per area (quantity, Gy cm2).

        D / Phi = sum of phi E mu_en/rho.

        Arguments:
            medium: anything ``composition`` reads.

        Raises:
            InputError: no such substance.
        """
        absorption = coefficients(composition(medium, "medium"), self.energies).absorption
        return quantity(GRAY * float(self.fluence @ (self.energies * absorption)), "Gy*cm^2")

    def filtered(self, filters: Mapping[Any, object]) -> Beam:
        """Return the beam behind filters.

        Arguments:
            filters: material to thickness, such as ``{"Al": "2 mm", "Cu": "0.3 mm"}``.

        Raises:
            InputError: less than 1e-6 of the photons pass, a negative thickness, or a material without a density.
        """
        if not isinstance(filters, Mapping):
            raise InputError("filters", f"{filters!r}", 'material to thickness, such as {"Al": "2 mm"}')
        led = self
        for material, thickness in filters.items():
            where = f"filters.{getattr(material, 'name', material)}"
            led = led._through(composition(material, where), read_quantity(thickness, "cm", where, 0.0), where)
        return led

    def hardened(self, medium: object, depth: object) -> Beam:
        """Return the primary photons left under a depth of a substance.

        Arguments:
            medium: anything ``composition`` reads, with a density.
            depth: such as ``"2 cm"``.

        Raises:
            InputError: less than 1e-6 of the photons pass, a negative depth, or a medium without a density.
        """
        return self._through(composition(medium, "medium"), read_quantity(depth, "cm", "depth", 0.0), "depth")

    def at_depth(self, medium: object, depth: object, source_distance: object) -> Beam:
        """Return the primary photons under a depth, with the inverse square of the distance on top.

        Arguments:
            medium, depth: as in ``hardened``.
            source_distance: from the source to the surface, such as ``"50 cm"``.

        Raises:
            InputError: as ``hardened``, or a distance that is not above 0.
        """
        surface = _read_distance(source_distance, "source_distance")
        led, under = self.hardened(medium, depth), read_quantity(depth, "cm", "depth", 0.0)
        return replace(led, relative_intensity=led.relative_intensity * (surface / (surface + under)) ** 2)

    def _through(self, layer: Composition, thickness: float, where: str) -> Beam:
        """Return the beam behind a layer (cm); one that removes it is refused."""
        if thickness == 0.0:
            return self
        slope = known_density(layer, where) * coefficients(layer, self.energies).total
        passed = self.fluence * np.exp(-slope * thickness)
        share = float(passed.sum())
        if share < LEAST_TRANSMISSION:
            found = f"{10.0 * thickness:g} mm of {layer.name}, which lets {share:.2g} of the photons pass"
            raise InputError(
                where, found, f"a layer that lets at least {LEAST_TRANSMISSION:g} pass", "Take a thinner one."
            )
        energies, fluence = _normalised(self.energies, passed)
        name = f"{self.name} + {10.0 * thickness:g} mm {layer.name}"
        intensity = self.relative_intensity * share
        return replace(
            self, name=name, energies=energies, fluence=fluence, relative_intensity=intensity, dose_rate=None
        )


def beam(name_or_kvp: object, filters: Mapping[Any, object] | None = None, distance: object = None) -> Beam:
    """Return a beam of photons.

    Arguments:
        name_or_kvp: ``"100 kV"`` or ``"100 kVp"`` (a tungsten tube), ``"60 keV"`` (one line), an id or usual name of
            the catalogue's beams (``"xrad_320"``, ``"6 MV"``, ``"137Cs"``) or of a nuclide (its photons above 10 keV),
            a spectrum as ``Beam.spectrum`` gives it, or a Beam, which has no air in front of it so far.
        filters: material to thickness, such as ``{"Al": "2 mm"}``, on top of those a sheet holds. A bare voltage has
            2 mm of aluminium where None is given, and nothing but its window with ``{}``.
        distance: from the source; air attenuates, and ``relative_intensity`` falls with the square.

    Voltages from 10 to 500 kV, energies from 1 keV to 20 MeV. Source of tubes: poludniowski_2021.

    Raises:
        InputError: no such beam (the nearest names are given), a voltage without its unit, a filter that removes the
            beam, or a distance that is not above 0.
    """
    source, usual = _source(name_or_kvp, bare=filters is not None)
    led = source if distance is None and usual is None else _led(source, usual, distance)
    return led.filtered(filters) if filters is not None else led


def _led(source: Beam, usual: float | None, distance: object) -> Beam:
    """Return the beam behind the air of a distance, its intensity relative to the usual one."""
    air = composition("air")
    common = source if usual is None else source._through(air, usual, "distance")
    if distance is None:
        return replace(common, name=source.name, relative_intensity=1.0, dose_rate=source.dose_rate)
    wanted = _read_distance(distance, "distance")
    there = source._through(air, wanted, "distance")
    square = ((usual or USUAL_DISTANCE) / wanted) ** 2
    said = tuple(a for a in source.assumptions if not a.startswith("no air"))
    intensity = square * there.relative_intensity / common.relative_intensity
    return replace(there, name=f"{source.name} at {wanted:g} cm", relative_intensity=intensity, assumptions=said)


def _read_distance(raw: object, where: str) -> float:
    length = read_quantity(raw, "cm", where, 0.0)
    if length == 0.0:
        raise InputError(where, "0 cm", "a distance above 0")
    return length


def _depth_of_halves(kerma: Array, slope: Array, halves: int) -> float:
    """Return the depth (cm) at which the sum of kerma exp(-slope x) has fallen to 2^-halves of itself."""
    if halves == 0:
        return 0.0
    from scipy.optimize import brentq

    whole, target = float(kerma.sum()), halves * np.log(2.0)

    def missing(depth: float) -> float:
        return float(np.log(np.sum(kerma * np.exp(-slope * depth)) / whole) + target)

    low, high = target / slope.max(), target / slope.min()
    # One line has both limits at the root itself.
    return float(brentq(missing, 0.999 * low, 1.001 * high, xtol=1e-14 * high, rtol=1e-14))


def _normalised(energies: Array, photons: Array) -> tuple[Array, Array]:
    """Return the bins that hold anything, with a sum of 1."""
    kept = photons > 1e-12 * photons.max()
    return np.ascontiguousarray(energies[kept]), np.ascontiguousarray(photons[kept] / photons[kept].sum())


def _source(name: object, bare: bool) -> tuple[Beam, float | None]:
    """Return the beam that a name means, without the air in front, and its usual distance (cm) if it has one.

    ``bare`` says that the caller names the filters of a voltage.
    """
    if isinstance(name, Beam):
        return name, None
    if hasattr(name, "coords") and "energy" in getattr(name, "coords", ()):
        return _of_array(name), None
    if hasattr(name, "magnitude") and hasattr(name, "units"):
        return _of_quantity(name, bare), None
    if isinstance(name, str) and name.strip() and not re.fullmatch(rf"\s*{_NUMBER}\s*", name):
        return _of_text(name.strip(), bare)
    if isinstance(name, str | int | float) and not isinstance(name, bool) and str(name).strip():
        expected = "a voltage such as `100 kV`, or an energy such as `60 keV`"
        raise InputError("beam", f"`{name}`, a number without a unit", expected, "A voltage needs its unit: kV.")
    raise InputError("beam", f"{name!r}", "a voltage, an energy, or the name of a beam")


def _of_text(text: str, bare: bool) -> tuple[Beam, float | None]:
    voltage = re.fullmatch(rf"({_NUMBER})\s*k[Vv]\s?p?", text)
    if voltage:
        return _tube(float(voltage[1]), bare), None
    if re.fullmatch(rf"{_NUMBER}\s*[kM]?eV", text):
        return _line(read_quantity(text, "keV", "beam")), None
    catalogue = Catalogue()
    known = catalogue.ids("beams")
    # "X-RAD 320" and "6 MV" are written in many ways, but 6 mV is another voltage.
    squeezed = {name.replace("_", ""): name for name in known}
    plain = "" if text.endswith("mV") else re.sub(r"[\s_\-]+", "", text.lower())
    if plain in squeezed:
        return _of_sheet(squeezed[plain])
    try:
        element = nuclide_id(text, "beam")
    except InputError:
        nuclides = catalogue.ids("nuclides")
        expected = "a voltage such as `100 kV`, an energy such as `60 keV`, or a beam or nuclide of the catalogue"
        raise InputError(
            "beam", f"`{text}`", expected, nearest("_".join(text.lower().split()), [*known, *nuclides])
        ) from None
    return _of_sheet(element) if element in known else (_of_nuclide(element), None)


def _of_quantity(raw: Any, bare: bool) -> Beam:
    kind = dimension_of(str(raw.units), "beam")
    if kind == dimension_of("kV"):
        return _tube(read_quantity(raw, "kV", "beam"), bare)
    if kind == dimension_of("keV"):
        return _line(read_quantity(raw, "keV", "beam"))
    raise UnitError("beam", f"{raw}", "a voltage in kV or an energy in keV")


def _line(energy: float) -> Beam:
    if not LOWEST <= energy <= HIGHEST:
        raise InputError("beam", f"{energy:g} keV", f"{LOWEST:g} keV to {HIGHEST / 1000:g} MeV")
    return Beam(f"{energy:g} keV", np.array([energy]), np.array([1.0]))


def _tube(voltage: float, bare: bool) -> Beam:
    energies, photons = _normalised(*tube_spectrum(voltage, "W", ANODE_ANGLE))
    made = Beam(f"{voltage:g} kV", energies, photons)
    layers = [WINDOW] if bare else [WINDOW, USUAL_FILTER]
    for material, thickness in layers:
        made = made._through(composition(material), thickness, "beam")
    said = [
        f"anode of tungsten at {ANODE_ANGLE:g} degrees, constant voltage",
        f"window of {10 * WINDOW[1]:g} mm {WINDOW[0]}",
        "no air between tube and field: pass distance for it",
    ]
    if not bare:
        said.insert(2, f"filter of {10 * USUAL_FILTER[1]:g} mm {USUAL_FILTER[0]}, since none was given")
    return replace(made, name=f"{voltage:g} kV", relative_intensity=1.0, assumptions=tuple(said))


def _of_nuclide(identifier: str) -> Beam:
    found = nuclide(identifier)
    energies, yields = found.photon_lines
    kept = energies >= CAPSULE
    if not kept.any():
        raise InputError("beam", f"`{identifier}`", f"a nuclide with photons above {CAPSULE:g} keV")
    said = (f"photons below {CAPSULE:g} keV stay in the capsule", "no further filter")
    return Beam(found.name, *_normalised(energies[kept], yields[kept]), said)


def _of_array(raw: Any) -> Beam:
    """Return the beam of a labelled array: photons per bin against energy, in keV unless it says otherwise."""
    factor = read_quantity(f"1 {raw.coords['energy'].attrs.get('units', 'keV')}", "keV", "beam.energy")
    energies, photons = factor * np.asarray(raw.coords["energy"], float), np.asarray(raw, float)
    fine = energies.ndim == 1 and photons.shape == energies.shape and np.all(np.diff(energies) > 0)
    if not fine or not np.all(photons >= 0) or not np.isfinite(photons.sum()) or photons.sum() <= 0:
        raise InputError("beam", "a spectrum out of order", "rising energies, and photons of at least 0")
    if energies[0] < LOWEST or energies[-1] > HIGHEST:
        found = f"a spectrum from {energies[0]:g} to {energies[-1]:g} keV"
        raise InputError("beam", found, f"{LOWEST:g} keV to {HIGHEST / 1000:g} MeV")
    return Beam("spectrum given", *_normalised(energies, photons))


def is_own(name: str, catalogue: Catalogue) -> bool:
    """Say whether a catalogue of one's own holds a beam of this name."""
    return name in catalogue.ids("beams") and ROOT not in catalogue.path("beams", name).parents


def own_beam(name: str, filters: Mapping[Any, object] | None, catalogue: Catalogue) -> Beam:
    """Return a beam of a catalogue of one's own, at its usual distance, behind filters.

    Arguments:
        name: id of its sheet.
        filters: material -> thickness, or None.
        catalogue: where the sheet is.
    """
    source, distance = beam_of_sheet(catalogue.load("beams", name), name)
    return beam(source, filters=filters, distance=f"{distance:.12g} cm" if distance else None)


@lru_cache(maxsize=64)
def _of_sheet(identifier: str) -> tuple[Beam, float | None]:
    return beam_of_sheet(Catalogue().load("beams", identifier, "beam"), identifier)


def beam_of_sheet(sheet: BeamSheet, identifier: str) -> tuple[Beam, float | None]:
    """Return the beam of a sheet, without the air in front, and its usual distance (cm) if it has one.

    Arguments:
        sheet: of the package, or of a catalogue of one's own.
        identifier: its id, for messages.
    """
    guesses = [(k, v) for k, v in values_in(sheet) if v.grade == "assumed" and not k.startswith("half_value")]
    said = [f"{key}: {value.value:g} {value.unit}" for key, value in guesses]
    layers = list(sheet.filters.items())
    if sheet.tube is not None:
        tube = sheet.tube
        made = Beam(sheet.name, *_normalised(*tube_spectrum(tube.voltage.value, tube.anode, tube.anode_angle.value)))
        layers = [*tube.filters.items(), *layers]
    elif sheet.nuclide:
        made = _of_nuclide(sheet.nuclide)
        said.insert(0, made.assumptions[0])
    else:
        assert sheet.spectrum is not None
        table = sheet.spectrum
        made = Beam(sheet.name, *_normalised(np.asarray(table.energies, float), np.asarray(table.weights, float)))
    for material, thickness in layers:
        where = f"beams/{identifier}.toml: filters.{material}"
        made = made._through(composition(material, where), 100.0 * thickness.si, where)
    rate = None if sheet.dose_rate is None else quantity(sheet.dose_rate.value, sheet.dose_rate.unit)
    made = replace(made, name=sheet.name, relative_intensity=1.0, assumptions=tuple(said), dose_rate=rate)
    return made, None if sheet.distance is None else 100.0 * sheet.distance.si
