"""Populations of crystals: amount, number and sizes of each mineral, in the bulk of a fluid and on its surfaces.

A population has an amount n (mol) and three moments of its radii: number N, sum of radii R, sum of squares Q. With
births J of nuclei of radius r0 and a speed G of growth (m/s, the same on every crystal),

    dN/dt = J ;  dR/dt = G N + J r0 ;  dQ/dt = 2 G R + J r0^2 ;  dn/dt = area G / Vm + J v0 / Vm
    bulk:     area = 4 pi Q                                                             (spheres)
    surface:  area = 2 pi Q (1 - exp(-x)) / x ,  x = sum over phases 2 pi Q / A         (hemispheres that share A)
              cover = 1 - exp(-sum over phases pi Q / A)                                (footprints at random)

which is exact for spheres that nucleate and grow alone, and needs no crystal to be there at the start. States in a
fluid F: ``F.<phase>`` (mol), ``F.<phase>.crystals`` (number), ``.radii`` (m), ``.squares`` (m^2); on a deposit D the
same after ``F.<phase>.on_<D>``. Validity: compact crystals. Sources: randolph_1988 (moments of a population),
avrami_1940 (random overlap); shapes are geometry.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nanotrial.errors import NetworkError, nearest
from nanotrial.medium.nucleation import AVOGADRO
from nanotrial.network.terms import Term, constant, exp, maximum, total

if TYPE_CHECKING:
    from nanotrial.catalogue.mineral_schema import Phase
    from nanotrial.medium.saturation import Place

NUCLEUS_DIAMETER = 2e-9
NUCLEUS_VOLUME = math.pi / 6.0 * NUCLEUS_DIAMETER**3
# The scale of N is a millionth of the fluid's ions in crystals of this radius, from which those of R and Q follow.
_USUAL_RADIUS, _USUAL_SHARE = 5e-9, 1e-6
_TRACE = 1e-9
_LEAST_AREA_PER_SCALE = 1e-9


@dataclass(frozen=True)
class Population:
    """Crystals of one phase in one place: names of their states, and their amount (mol) and moments as terms.

    ``solid_angle`` is 4 pi for spheres in the bulk and 2 pi for hemispheres on a surface.
    """

    phase: str
    deposit: str
    names: tuple[str, str, str, str]
    amount: Term
    number: Term
    radii: Term
    squares: Term
    molar_volume: Term
    trace: float

    @property
    def solid_angle(self) -> float:
        """Return area over square of the radius."""
        return (2.0 if self.deposit else 4.0) * math.pi

    @property
    def nucleus_radius(self) -> float:
        """Return the radius (m) of a nucleus, of one volume in every shape."""
        return float((3.0 * NUCLEUS_VOLUME / self.solid_angle) ** (1.0 / 3.0))

    @property
    def radius(self) -> Term:
        """Return the mean radius (m), squares over radii; that of a nucleus where there are no crystals."""
        r = self.nucleus_radius
        above = positive(self.squares) + constant(self.trace * r * r, "m^2")
        return above / (positive(self.radii) + constant(self.trace * r, "m"))

    @property
    def free_area(self) -> Term:
        """Return the area (m^2) of the crystals if none touched."""
        return positive(self.squares) * self.solid_angle

    @property
    def footprint(self) -> Term:
        """Return the area (m^2) that hemispheres of this size would cover if none overlapped."""
        return positive(self.squares) * math.pi

    @property
    def nucleus_share(self) -> Term:
        """Return radius of a nucleus over that of the crystals (three volumes over area), 1 where nothing is left."""
        r = self.nucleus_radius
        shell = (self.free_area + constant(self.trace * self.solid_angle * r * r, "m^2")) * constant(r / 3.0, "m")
        return shell / (positive(self.amount) * self.molar_volume + shell)


def positive(value: Term) -> Term:
    """Return a state without the noise below zero."""
    return maximum(value, Term(0.0, value.dimension))


def forms(phase: Phase) -> bool:
    """Say whether a phase forms as crystals do."""
    return phase.nucleation is not None and phase.growth is not None


def deposits(place: Place, identifier: str = "") -> list[str]:
    """Return the deposits of a fluid in order, the bulk (``""``) first; of a phase, those where it may be."""
    able = [s for s in place.surfaces if not identifier or not s.phases or identifier in s.phases]
    return list(dict.fromkeys(["", *(s.deposit for s in able)]))


def molar_volume(place: Place, identifier: str) -> Term:
    """Return the molar volume of a phase (m^3/mol), molar mass over density."""
    phase = place.phases[identifier]
    mass = place.network.parameter(f"phase.{identifier}.molar_mass", phase.molar_mass, "kg/mol")
    return mass / place.network.parameter(f"phase.{identifier}.density", phase.density, "kg/m^3")


def formula_volume(place: Place, identifier: str) -> Term:
    """Return the volume of a formula unit (m^3)."""
    return molar_volume(place, identifier) / constant(AVOGADRO, "1/mol")


def amount_name(place: Place, identifier: str, deposit: str = "") -> str:
    """Return the name of the state that holds the amount of a phase (mol)."""
    return f"{place.name}.{identifier}" + (f".on_{deposit}" if deposit else "")


def state_names(place: Place, identifier: str, deposit: str = "") -> tuple[str, str, str, str]:
    """Return the names of the four states of a population: amount, number, radii, squares."""
    name = amount_name(place, identifier, deposit)
    return name, f"{name}.crystals", f"{name}.radii", f"{name}.squares"


def number_scale(place: Place, identifier: str) -> float:
    """Return the number of crystals against which the solver's absolute error counts."""
    phase = place.phases[identifier]
    per_mole = phase.molar_mass.si / phase.density.si
    return float(_USUAL_SHARE * place.scale * per_mole / (4.0 / 3.0 * math.pi * _USUAL_RADIUS**3))


def content_of(place: Place, phase: Phase) -> dict[str, float]:
    """Return the conserved kinds that a mole of a phase holds, those of its dissolved products."""
    content: dict[str, float] = {}
    for solute, count in phase.products.items():
        for kind, held in place.network.species[f"{place.name}.{solute}"].content.items():
            content[kind] = content.get(kind, 0.0) + held * count
    return content


def add_states(place: Place, where: list[str] | None = None) -> None:
    """Add the states of crystals that are not there yet, empty; mechanisms that read them may be added after this.

    Arguments:
        place: the fluid.
        where: deposits, the bulk as ``""``; by default the bulk and the deposits of the fluid's surfaces.
    """
    network = place.network
    for identifier, phase in place.phases.items():
        if not forms(phase):
            continue
        for deposit in deposits(place, identifier) if where is None else where:
            names = state_names(place, identifier, deposit)
            if names[0] in network.species:
                continue
            count = number_scale(place, identifier)
            network.state(names[0], place.name, scale=place.scale, content=content_of(place, phase))
            # Moments range over many decades: what is left of a large one is noise of either sign.
            for power, (moment, unit) in enumerate(zip(names[1:], ("1", "m", "m^2"), strict=True)):
                size = count * _USUAL_RADIUS**power
                network.state(moment, place.name, unit, size, may_be_negative=True)


def floating_crystals(place: Place) -> list[str]:
    """Return the states of crystals in the bulk of a fluid, which go where the fluid goes."""
    names = [n for i, phase in place.phases.items() if forms(phase) for n in state_names(place, i)]
    return [n for n in names if n in place.network.species]


def population(place: Place, identifier: str, deposit: str = "") -> Population:
    """Return the crystals of a phase in the bulk or on a deposit, whose states exist.

    Raises:
        NetworkError: the fluid has no such states.
    """
    names = state_names(place, identifier, deposit)
    amount, number, radii, squares = (place.network[n] for n in names)
    trace = _TRACE * number_scale(place, identifier)
    volume = molar_volume(place, identifier)
    return Population(identifier, deposit, names, amount, number, radii, squares, volume, trace)


def populations(place: Place, deposit: str | None = None) -> list[Population]:
    """Return all crystals of a fluid, or those of one deposit."""
    found = []
    for identifier, phase in place.phases.items():
        for one in deposits(place, identifier) if deposit is None else [deposit]:
            if forms(phase) and amount_name(place, identifier, one) in place.network.species:
                found.append(population(place, identifier, one))
    return found


def surface_area(place: Place, deposit: str) -> Term:
    """Return the area of the surfaces of a deposit (m^2), never quite nothing."""
    bare = total((s.area for s in place.surfaces if s.deposit == deposit), "m^2")
    return positive(bare) + constant(_LEAST_AREA_PER_SCALE * place.scale, "m^2")


def crowding(place: Place, deposit: str) -> Term:
    """Return footprints of all crystals of a deposit over the area of its surfaces."""
    footprints = total((p.footprint for p in populations(place, deposit)), "m^2")
    return footprints / surface_area(place, deposit)


def cover(place: Place, deposit: str) -> Term:
    """Return the share of a deposit's surfaces that lies under crystals: 1 - exp(-footprints / area)."""
    return 1.0 - exp(-crowding(place, deposit))


def open_share(place: Place, deposit: str) -> Term:
    """Return the share of the crystals' area that is open to growth: on a deposit they share that of its surfaces."""
    if not deposit:
        return constant(1.0, "1")
    ratio = crowding(place, deposit) * 2.0 + 1e-6
    return (1.0 - exp(-ratio)) / ratio


def crystal_amount(place: Place, identifier: str, deposit: str = "") -> Term:
    """Return the amount of a phase (mol) in the bulk or on a deposit.

    Raises:
        NetworkError: the fluid does not follow this phase there.
    """
    name = amount_name(place, identifier, deposit)
    if name not in place.network.species:
        raise NetworkError(f"no mineral `{name}`. {nearest(name, place.network.species)}")
    return place.network[name]


def phase_amount(place: Place, identifier: str) -> Term:
    """Return the amount of a phase (mol) in a fluid, bulk and all deposits."""
    names = [amount_name(place, identifier, d) for d in deposits(place, identifier)]
    return total((place.network[n] for n in names if n in place.network.species), "mol")


def solid_content(place: Place, component: str) -> Term:
    """Return the amount of a component (mol) in all minerals of a fluid."""
    held = [(i, p.products[component]) for i, p in place.phases.items() if component in p.products]
    return total((phase_amount(place, i) * float(count) for i, count in held), "mol")


def solid_volume(place: Place, deposit: str | None = None) -> Term:
    """Return the volume of minerals (m^3) of a fluid, or of one deposit (``""``: its bulk)."""
    result = constant(0.0, "m^3")
    for identifier in place.phases:
        for one in deposits(place, identifier) if deposit is None else [deposit]:
            name = amount_name(place, identifier, one)
            if name in place.network.species:
                result = result + place.network[name] * molar_volume(place, identifier)
    return result
