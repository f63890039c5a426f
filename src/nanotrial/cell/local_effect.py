"""What high-Z particles add to the lethal lesions of a nucleus: the local effect model for particles in places.

    L(D)     lethal lesions of the whole nucleus at a uniform dose (linear-quadratic, straight beyond D_t)
    event    dN(s) = int [L(D_0 + D(r)) - L(D_0)] dV / V_n          one ionised particle at s from the nucleus' centre
    cell     S = exp(-L(D_0)) exp(-sum_p n_p k D_0 <1 - exp(-dN)>_p)   Poisson events: one cell dies once of an event
    alpha    + sum_p n_p k <alpha D1 + beta D2>_p,   D1 = int D dV/V_n, D2 = int D^2 dV/V_n
    beta     + beta (2 m + m^2),   m = sum_p n_p k <D1>_p: added mean dose per Gy

n_p: particles in place p; k: ionising events per particle and Gy; D(r): dose around an ionised particle; <>_p: over
where particles of a place may lie. The cell and its nucleus are spheres with one centre. ``medium`` is a layer around
the cell; on the ``membrane`` centres lie on its surface; what is free in the cytoplasm or in organelles of it is
uniform there, kept off the nucleus by the radius of its organelle. That particles stand in clusters does not change
the mean of independent events, but it does the dose of the organelle that holds them. Lengths nm, doses Gy.
Validity: rare events (fields of two events overlap in ``beta`` alone, there as if uniform); geometry of a round cell;
the law of a whole nucleus is taken to hold in each of its points. Sources: mcmahon_2011, lechtman_2017.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cell.linear_quadratic import Sensitivity, lethal_lesions, read_sensitivity
from nanotrial.cell.spheres import radial_points, shell_volumes, surface_mean
from nanotrial.errors import InputError, nearest
from nanotrial.radiation.arguments import Array, read_quantities, read_quantity

if TYPE_CHECKING:
    from nanotrial.catalogue.cell_schema import CellLine
    from nanotrial.catalogue.radiobiology_schema import Radiosensitivity
    from nanotrial.radiation.particles import ParticleDose

PLACES = ("medium", "membrane", "endosome", "lysosome", "cytosol", "mitochondrion", "reticulum", "nucleus")
TARGETS = ("nucleus", "cytosol", "lysosome", "lysosome_membrane", "mitochondrion", "reticulum")
# Places of which a cell is asked when nobody says how many particles lie there.
_OF_CELL = ("membrane", "lysosome", "cytosol", "mitochondrion", "reticulum", "nucleus")
_SIZES = ("cell", "nucleus", "endosome", "lysosome", "mitochondrion", "surroundings")


@dataclass(frozen=True)
class CellGeometry:
    """Radii (nm) of a cell and its parts, the layer of medium around it (nm), and how many organelles hold particles.

    ``holding`` is the number of lysosomes or mitochondria over which the particles of that place are spread;
    ``threshold_dose`` (Gy) is where lethal lesions of the nucleus turn straight.
    """

    cell: float
    nucleus: float
    endosome: float
    lysosome: float
    mitochondrion: float
    surroundings: float
    holding: Mapping[str, float]
    threshold_dose: float = math.inf

    @classmethod
    def of_sheets(cls, line: CellLine, sensitivity: Radiosensitivity) -> CellGeometry:
        """Return the geometry of a line: a sphere of its volume, its nucleus, vesicles and mitochondria of all cells.

        Particles of a place are spread over all organelles of that kind: their volume share over the volume of one.
        Mitochondria are taken as spheres as wide as vesicles.

        Arguments:
            line, sensitivity: sheets of ``catalogue/cells`` and ``catalogue/radiosensitivity``.
        """
        vesicles = Catalogue().load("vesicles", "mammalian_vesicles")
        mitochondria = Catalogue().load("calcium_handling", "mammalian_calcium").mitochondria
        cell = 1e9 * float(np.cbrt(line.volume.si * 3.0 / (4.0 * np.pi)))
        small = 0.5e9 * vesicles.vesicle_diameter.si
        each = (cell / small) ** 3
        shares = {"lysosome": vesicles.lysosome_volume_share.si, "mitochondrion": mitochondria.volume_share.si}
        return cls(
            cell=cell, nucleus=0.5e9 * sensitivity.nucleus_diameter.si, endosome=small, lysosome=small,
            mitochondrion=small, surroundings=cell, holding={name: share * each for name, share in shares.items()},
            threshold_dose=sensitivity.threshold_dose.si,
        )  # fmt: skip

    def reach(self, place: str) -> tuple[float, float]:
        """Return the least and greatest distance (nm) of particles of a place from the centre."""
        if place == "medium":
            return self.cell, self.cell + self.surroundings
        if place == "membrane":
            return self.cell, self.cell
        if place == "nucleus":
            return 0.0, self.nucleus
        around = {"endosome": self.endosome, "lysosome": self.lysosome, "mitochondrion": self.mitochondrion}
        off = around.get(place, 0.0)
        if self.nucleus + off >= self.cell - off:
            raise InputError(
                f"cell.{place}", f"a radius of {off:g} nm", "a place that fits between nucleus and membrane"
            )
        return self.nucleus + off, self.cell - off


def read_geometry(sizes: Mapping[str, object], holding: Mapping[str, float] | None = None) -> CellGeometry:
    """Return the geometry of a round cell.

    Arguments:
        sizes: diameters of ``cell``, ``nucleus``, ``endosome``, ``lysosome``, ``mitochondrion`` and the thickness
            of the layer ``surroundings`` in which particles of the medium count; texts with units.
        holding: ``lysosome`` and ``mitochondrion`` -> number of those that hold particles.

    Raises:
        InputError: a size is missing, unknown or zero, or the nucleus does not fit into the cell.
    """
    for key in sizes:
        if key not in _SIZES:
            raise InputError(f"cell.{key}", "an unknown size", f"one of {', '.join(_SIZES)}", nearest(str(key), _SIZES))
    missing = [key for key in _SIZES if key not in sizes]
    if missing:
        raise InputError("cell", f"no `{missing[0]}`", f"all of {', '.join(_SIZES)}")
    read = {key: read_quantity(sizes[key], "nm", f"cell.{key}", 1e-3) for key in _SIZES}
    radii = {key: size if key == "surroundings" else size / 2.0 for key, size in read.items()}
    if radii["nucleus"] >= radii["cell"]:
        raise InputError("cell.nucleus", f"a diameter of {read['nucleus']:g} nm", "a nucleus smaller than its cell")
    counts = {key: float(number) for key, number in (holding or {}).items()}
    for key, number in counts.items():
        if key not in ("lysosome", "mitochondrion"):
            raise InputError(f"holding.{key}", "an unknown organelle", "lysosome or mitochondrion")
        if not number > 0.0:
            raise InputError(f"holding.{key}", f"{number:g}", "a number above 0")
    return CellGeometry(holding=counts, **radii)


@dataclass(frozen=True, eq=False)
class LocalEffect:
    """What particles in given places add to a dose: ``added_dose`` to the nucleus (Gy per Gy), added alpha and beta.

    ``events`` are ionising events of all particles per Gy; ``doses`` is an array of target and place, Gy per Gy.
    """

    particle: ParticleDose
    numbers: Mapping[str, float]
    cell: CellGeometry
    cells: Sensitivity

    @property
    def events(self) -> float:
        """Return ionising events per Gy in all the particles."""
        return self.particle.event_rate * sum(self.numbers.values())

    @cached_property
    def _points(self) -> dict[str, tuple[Array, Array, Array]]:
        """Return distances, weights, and shares of the nucleus in every shell (m, n), by place."""
        return {place: _place_points(self.particle, self.cell, place) for place in self.numbers}

    def _mean(self, values: Array) -> float:
        """Return sum_p n_p k <int values dV/V_n>_p for what is in the shells (n,)."""
        total = 0.0
        for place, number in self.numbers.items():
            _, weights, shares = self._points[place]
            total += number * self.particle.event_rate * float(weights @ (shares @ values))
        return total

    @cached_property
    def added_dose(self) -> float:
        """Return the mean dose that the particles add to the nucleus, Gy per Gy."""
        return self._mean(self.particle.dose_per_event)

    @cached_property
    def added_alpha(self) -> float:
        """Return what is added to alpha (1/Gy) by events too rare to overlap; straight beyond the threshold dose."""
        dose = self.particle.dose_per_event
        return self._mean(lethal_lesions(dose, self.cells.alpha, self.cells.beta, self.cells.threshold_dose))

    @cached_property
    def added_beta(self) -> float:
        """Return what is added to beta (1/Gy^2): overlap of the events with the dose of the beam, and of each other."""
        return float(self.cells.beta * (2.0 * self.added_dose + self.added_dose**2))

    def event_lesions(self, place: str, dose: float) -> tuple[Array, Array]:
        """Return lethal lesions that one event in a place adds to a dose (Gy): by position, and their weights."""
        _, weights, shares = self._points[place]
        extra = self.cells.lethal(dose + self.particle.dose_per_event) - self.cells.lethal(dose)
        return shares @ extra, weights

    def survive(self, dose: Array | float) -> Array:
        """Return the share of cells that survives acute doses (Gy): Poisson events on the dose of the beam."""
        doses = np.atleast_1d(np.asarray(dose, dtype=float))
        logs = -np.asarray(self.cells.lethal(doses))
        for i, one in enumerate(doses):
            for place, number in self.numbers.items():
                lesions, weights = self.event_lesions(place, float(one))
                logs[i] += number * self.particle.event_rate * one * float(weights @ np.expm1(-lesions))
        return np.asarray(np.exp(logs).reshape(np.shape(dose)))

    @property
    def doses(self) -> Any:
        """Return the mean added dose of every target from every place (DataArray, Gy per Gy)."""
        import xarray as xr

        rows = [target_doses(self.particle, self.cell, place, self._points[place]) for place in self.numbers]
        table = np.array([[row[t] * n for row, n in zip(rows, self.numbers.values(), strict=True)] for t in TARGETS])
        coords = {"target": list(TARGETS), "place": list(self.numbers)}
        return xr.DataArray(table, dims=("target", "place"), coords=coords, attrs={"units": "Gy/Gy"})


@dataclass(frozen=True)
class ParticleGains:
    """What one particle adds: ``doses`` place -> target -> Gy per Gy; ``spikes`` place -> mean square dose (Gy)."""

    doses: Mapping[str, Mapping[str, float]]
    spikes: Mapping[str, float]


def gains_of_particle(around: ParticleDose, geometry: CellGeometry) -> ParticleGains:
    """Return what one particle adds from each place of a cell, per Gy to water.

    doses = k <int_target D dV / V>; spikes = k <int_nucleus q dV / V_n>, q = D^2, or D_t (2 D - D_t) above D_t

    Arguments:
        around: dose around an ionised particle.
        geometry: of the cell, with the numbers of lysosomes and mitochondria over which particles are spread.

    Returns:
        Doses of nucleus, cytosol, lysosome, lysosome_membrane, mitochondrion and reticulum, from every place but the
        medium. Particles at the reticulum lie as in the cytosol, and its dose is that of the cytosol: a lower bound.

    Raises:
        InputError: a particle larger than its cell; a geometry without numbers of lysosomes or mitochondria.
    """
    _check_size(around, geometry, ())
    dose, bend = around.dose_per_event, geometry.threshold_dose
    straight = np.minimum(dose, bend)
    square = straight * (2.0 * dose - straight)
    doses, spikes, seen = {}, {}, {}
    for place in _OF_CELL:
        reach = geometry.reach(place)
        if reach not in seen:
            seen[reach] = _place_points(around, geometry, place)
        _, weights, shares = seen[reach]
        doses[place] = target_doses(around, geometry, place, seen[reach])
        spikes[place] = around.event_rate * float(weights @ (shares @ square))
    return ParticleGains(doses, spikes)


def _place_points(particle: ParticleDose, cell: CellGeometry, place: str) -> tuple[Array, Array, Array]:
    """Return distances from the centre (m,), weights, and shares of the nucleus in every shell (m, n)."""
    edges = particle.radii
    kinks = np.concatenate([kink for R in (cell.nucleus, cell.cell) for kink in (np.abs(R - edges), R + edges)])
    points, weights = radial_points(*cell.reach(place), kinks)
    return points, weights, shell_volumes(edges, cell.nucleus, points) / (4.0 / 3.0 * np.pi * cell.nucleus**3)


def target_doses(
    particle: ParticleDose, cell: CellGeometry, place: str, where: tuple[Array, Array, Array]
) -> dict[str, float]:
    """Return the mean dose (Gy per Gy) that one particle at a place adds to each target."""
    points, weights, shares = where
    edges, dose, rate = particle.radii, particle.dose_per_event, particle.event_rate
    nucleus = float(weights @ (shares @ dose))
    whole = float(weights @ (shell_volumes(edges, cell.cell, points) @ dose)) / (4.0 / 3.0 * np.pi)
    around = rate * (whole - nucleus * cell.nucleus**3) / (cell.cell**3 - cell.nucleus**3)
    found = dict.fromkeys(TARGETS, around) | {"nucleus": rate * nucleus}
    if place in ("lysosome", "mitochondrion"):
        for target in TARGETS:
            if target.removesuffix("_membrane") == place:
                found[target] = around + _own_dose(particle, cell, place, target)
    return found


def _own_dose(particle: ParticleDose, cell: CellGeometry, organelle: str, target: str) -> float:
    """Return the dose (Gy per Gy) that one particle adds to its organelle, mean over those that hold particles."""
    if organelle not in cell.holding:
        raise InputError("holding", f"no `{organelle}`", "how many hold the particles of this place")
    radius = cell.lysosome if organelle == "lysosome" else cell.mitochondrion
    edges, dose = particle.radii, particle.dose_per_event
    points, weights = radial_points(0.0, max(radius - edges[0], 1e-9 * radius), np.abs(radius - edges))
    if target.endswith("membrane"):
        per_event = sum(w * surface_mean(edges, dose, radius, s) for s, w in zip(points, weights, strict=True))
    else:
        volumes = shell_volumes(edges, radius, points) / (4.0 / 3.0 * np.pi * radius**3)
        per_event = float(weights @ (volumes @ dose))
    return float(particle.event_rate * per_event / cell.holding[organelle])


def _check_size(particle: ParticleDose, cell: CellGeometry, places: Iterable[str]) -> None:
    if particle.diameter >= 2.0 * cell.cell:
        found = f"a particle of {particle.diameter:g} nm"
        raise InputError("particle", found, f"one smaller than its cell of {2.0 * cell.cell:g} nm")
    for place in places:
        room = 2.0 * float(getattr(cell, place, cell.cell))
        if particle.diameter >= room:
            found = f"one of {particle.diameter:g} nm in a {place}"
            raise InputError("particle", found, f"less than {room:g} nm there")


def find_local_effect(
    particle: ParticleDose, numbers: Mapping[str, float], cell: CellGeometry | Mapping[str, object], cells: object
) -> LocalEffect:
    """Return what particles in given places of a cell add to a dose.

    Arguments:
        particle: events per Gy and dose around an ionised particle, from ``radiation.particles.particle_dose``.
        numbers: place (medium, membrane, endosome, lysosome, cytosol, mitochondrion, nucleus) -> particles per cell.
        cell: from ``read_geometry``, or the sizes that it takes.
        cells: id of a line, a Sensitivity, or a mapping with alpha and beta.

    Raises:
        InputError: an unknown place, a negative number, a particle larger than its cell or its organelle.
    """
    known = cell if isinstance(cell, CellGeometry) else read_geometry(cell)
    for place, number in numbers.items():
        if place not in PLACES:
            known_places = f"one of {', '.join(PLACES)}"
            raise InputError(f"numbers.{place}", "an unknown place", known_places, nearest(place, PLACES))
        if not (np.isfinite(number) and number >= 0.0):
            raise InputError(f"numbers.{place}", f"{number:g}", "a finite number of 0 or more")
    _check_size(particle, known, [place for place, number in numbers.items() if number > 0.0])
    return LocalEffect(particle, dict(numbers), known, read_sensitivity(cells))


def sample_survival(effect: LocalEffect, absorbed_dose: object, draws: int, seed: int) -> tuple[Array, Array]:
    """Return survival and its standard error from cells drawn one by one: events, their places, lesions of each.

    Arguments:
        effect: what ``find_local_effect`` gave.
        absorbed_dose: acute doses (any shape).
        draws: cells per dose.
        seed: of the generator; the same seed gives the same numbers.

    Raises:
        InputError: fewer than two draws. UnitError: a wrong unit.
    """
    if draws < 2:
        raise InputError("draws", f"{draws}", "at least 2")
    doses = read_quantities(absorbed_dose, "Gy", "absorbed_dose", 0.0, 1e4)
    flat = np.atleast_1d(doses).ravel()
    mean, error = np.empty(flat.shape), np.empty(flat.shape)
    for i, (dose, stream) in enumerate(zip(flat, np.random.SeedSequence(seed).spawn(len(flat)), strict=True)):
        added = _draw_lesions(effect, float(dose), draws, np.random.default_rng(stream))
        alive = np.exp(-float(effect.cells.lethal(dose)) - added)
        mean[i], error[i] = alive.mean(), alive.std(ddof=1) / np.sqrt(draws)
    return mean.reshape(doses.shape), error.reshape(doses.shape)


def _draw_lesions(effect: LocalEffect, dose: float, draws: int, generator: np.random.Generator) -> Array:
    """Return lethal lesions (draws,) that events at random places add in each cell."""
    total = np.zeros(draws)
    extra = effect.cells.lethal(dose + effect.particle.dose_per_event) - effect.cells.lethal(dose)
    volume = 4.0 / 3.0 * np.pi * effect.cell.nucleus**3
    for place, number in effect.numbers.items():
        events = generator.poisson(number * effect.particle.event_rate * dose, draws)
        low, high = effect.cell.reach(place)
        distance = np.cbrt(low**3 + (high**3 - low**3) * generator.random(int(events.sum())))
        owner = np.repeat(np.arange(draws), events)
        for start in range(0, len(distance), 4096):
            part = slice(start, start + 4096)
            shares = shell_volumes(effect.particle.radii, effect.cell.nucleus, distance[part]) / volume
            np.add.at(total, owner[part], shares @ extra)
    return total
