"""What chemical sensitisers do with radicals: fix damage in place of oxygen, release NO or nitrite, make peroxynitrite.

    radicals of DNA    fixed  k_f ([O2] + sum_s r_s [S]),  repaired  k_r [thiol]
    half fixation      K = k_r [thiol] / k_f                       the constant of the oxygen effect
    equivalence        p_s = e_s [S]                               pressure of oxygen that does what the sensitiser does
    enhancement        OER(p + p_s) / OER(p),  OER(p) = (m p + K) / (p + K)
    gated Fenton       beam -> e_aq, O2- ;  metal(n) + e_aq -> metal(n-1) ;  metal(n-1) + H2O2 -> metal(n) + OH

A captured electron frees at most one NO or one nitrite, so both are bounded by the yield of electrons. Equivalence is
linear in concentration and holds where the sensitiser fixes less than all of the damage. Sources: in the sheets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import InputError
from nanotrial.radiation.arguments import quantity, read_quantity
from nanotrial.radiation.bond_cutting import bonds_cut, radical_yields, scavenging
from nanotrial.radiation.radicals import rate_between, read_reactions, solute_name
from nanotrial.radiation.radiolysis import AFTER, DENSITY, dissolved_oxygen, irradiate, load_sheet, read_conditions

if TYPE_CHECKING:
    from nanotrial.catalogue.radiobiology_schema import Sensitiser

BODY = 310.15
REDUCED = {"Cu+2": "Cu+", "Fe+3": "Fe+2", "chelated_iron_3": "chelated_iron_2"}


def load_sensitiser(name: str) -> Sensitiser:
    """Return the sheet of a sensitiser; unknown names raise CatalogueError with the nearest."""
    from nanotrial.catalogue.lookup import Catalogue

    sheet: Sensitiser = Catalogue().load("sensitisers", name)
    return sheet


def half_fixation(thiol: object, repair: object | None = None, fixation: object | None = None) -> Any:
    """Return the concentration of oxygen at which half of the radicals of DNA is fixed (umol/L).

        K = k_r [thiol] / k_f

    Arguments:
        thiol: concentration near DNA, such as ``"5 mmol/L"``.
        repair: rate constant of the thiol with radicals of DNA; that of glutathione in the sheet if not given.
        fixation: rate constant of oxygen with them; that in the sheet if not given.

    Raises:
        InputError: a negative concentration, or a rate that is not above zero.
    """
    sheet = load_sheet()
    held = read_quantity(thiol, "mol/m^3", "thiol", 0.0)
    mend, fix = (
        rate_between(sheet, "DNA_radical", other) if raw is None else read_quantity(raw, "m^3/mol/s", where, 0.0)
        for raw, where, other in ((repair, "repair", "GSH"), (fixation, "fixation", "oxygen"))
    )
    if fix == 0.0:
        raise InputError("fixation", "0", "a rate above zero")
    return quantity(mend * held / fix * 1e3, "umol/L")


def oxygen_equivalent(sensitiser: str, concentration: object) -> Any:
    """Return the pressure of oxygen (mmHg) that does what a concentration of a sensitiser does in hypoxic cells.

    Arguments:
        sensitiser: id of ``catalogue/sensitisers``.
        concentration: in the cell, such as ``"1 mmol/L"``.

    Raises:
        CatalogueError: an unknown sensitiser.
        InputError: a negative concentration.
    """
    sheet = load_sensitiser(sensitiser)
    held = read_quantity(concentration, "mmol/L", "concentration", 0.0)
    return quantity(sheet.oxygen_equivalence.value * held, "mmHg")


def sensitiser_enhancement(
    sensitiser: str,
    concentration: object,
    oxygen: object = "0 mmHg",
    maximum: float = 3.0,
    constant: object = "3 mmHg",
) -> float:
    """Return by how much a sensitiser divides the dose that is needed: OER(p + p_s) / OER(p).

    Arguments:
        sensitiser: id of ``catalogue/sensitisers``.
        concentration: in the cell.
        oxygen: pressure.
        maximum: enhancement by oxygen without end, at least 1.
        constant: pressure of half of the effect.

    Raises:
        CatalogueError: an unknown sensitiser.
        InputError: a negative amount, or a maximum below 1.
    """
    p = read_quantity(oxygen, "mmHg", "oxygen", 0.0)
    half = read_quantity(constant, "mmHg", "constant", 0.0)
    if not maximum >= 1.0 or half == 0.0:
        raise InputError("maximum", f"{maximum} with constant {half} mmHg", "at least 1, with a constant above zero")
    more = p + float(oxygen_equivalent(sensitiser, concentration).magnitude)
    return float((maximum * more + half) / (more + half) * (p + half) / (maximum * p + half))


def fixed_damage(
    thiol: object, oxygen: object = "0 mmHg", sensitisers: Mapping[str, object] | None = None
) -> dict[str, float]:
    """Return what becomes of radicals of DNA: shares repaired by thiol, fixed by oxygen and by each sensitiser.

        share_s = r_s [S] / (K + [O2] + sum r [S]),  r_s = e_s * solubility of oxygen

    Arguments:
        thiol: concentration near DNA.
        oxygen: as in ``radiolysis``, at 37 degC.
        sensitisers: id -> concentration.

    Raises:
        CatalogueError: an unknown sensitiser.
        InputError: a negative amount, or nothing that repairs or fixes.
    """
    amounts = {"repaired": float(half_fixation(thiol).magnitude)}
    amounts["oxygen"] = dissolved_oxygen(oxygen, BODY) * 1e3
    for name, held in (sensitisers or {}).items():
        amounts[name] = dissolved_oxygen(oxygen_equivalent(name, held), BODY) * 1e3
    whole = sum(amounts.values())
    if whole == 0.0:
        raise InputError("thiol", "no thiol, oxygen or sensitiser", "something that repairs or fixes")
    return {name: amount / whole for name, amount in amounts.items()}


def nitric_oxide_release(
    absorbed_dose: object,
    nitrosothiol: object,
    competitors: Mapping[str, object] | None = None,
    oxygen: object = "0 %",
    ph: float = 7.0,
) -> Any:
    """Return the NO that electrons free from S-nitrosothiols (umol/L): one per electron caught, at most.

    Arguments:
        absorbed_dose: dose to water.
        nitrosothiol: concentration.
        competitors: solute -> concentration, held at it.
        oxygen: as in ``radiolysis``.
        ph: 0 to 11.

    Raises:
        InputError: a negative amount or an unknown solute.
    """
    found = bonds_cut(absorbed_dose, nitrosothiol, "nitrosothiol", competitors, oxygen, ph)
    return found.by["e_aq"]


def nitrite_release(
    absorbed_dose: object,
    nitro_ligand: object,
    competitors: Mapping[str, object] | None = None,
    oxygen: object = "0 %",
    ph: float = 7.0,
    released: float = 1.0,
) -> Any:
    """Return the nitrite that electrons free from a nitro compound (umol/L): ``released`` per electron caught.

        rho D G_e k [L] / (k [L] + sum_j k_j C_j) * released, never more than [L]

    Arguments:
        absorbed_dose: dose to water.
        nitro_ligand: concentration of nitro groups.
        competitors: solute -> concentration.
        oxygen: as in ``radiolysis``; it takes electrons, and back those of the anion, which is not in it.
        ph: 0 to 11.
        released: nitrite per electron, 0 to 1; 1 is the bound.

    Raises:
        InputError: a negative amount, a share outside 0 to 1, or an unknown solute.
    """
    if not 0.0 <= released <= 1.0:
        raise InputError("released", f"{released}", "0 to 1")
    dose = read_quantity(absorbed_dose, "Gy", "absorbed_dose", 0.0)
    held = read_quantity(nitro_ligand, "mol/m^3", "nitro_ligand", 0.0)
    sheet = load_sheet()
    speed = rate_between(sheet, "e_aq", "nitro_ligand") * held
    others = scavenging(sheet, competitors, dissolved_oxygen(oxygen))["e_aq"]
    caught = speed / (speed + others) if speed > 0 else 0.0
    made = DENSITY * dose * radical_yields(ph)["e_aq"] * caught * released
    return quantity(min(made, held) * 1e3, "umol/L")


def peroxynitrite_share(nitric_oxide: object, dismutase: object = "0 umol/L") -> float:
    """Return which share of superoxide NO turns into peroxynitrite: k [NO] / (k [NO] + k_SOD [SOD]).

    Arguments:
        nitric_oxide: concentration.
        dismutase: concentration of superoxide dismutase.

    Raises:
        InputError: a negative concentration.
    """
    sheet = load_sheet()
    made = rate_between(sheet, "NO", "superoxide") * read_quantity(nitric_oxide, "mol/m^3", "nitric_oxide", 0.0)
    lost = rate_between(sheet, "SOD", "superoxide") * read_quantity(dismutase, "mol/m^3", "dismutase", 0.0)
    return made / (made + lost) if made > 0 else 0.0


def peroxynitrite_lifetime(ph: float = 7.4, carbon_dioxide: object = "1.2 mmol/L") -> Any:
    """Return how long peroxynitrite lives (s): it decays with its acid and with carbon dioxide.

        1 / ((k_1 + k_2) a + k_CO2 [CO2] (1 - a)),  a: share of the acid

    Arguments:
        ph: 0 to 11.
        carbon_dioxide: concentration.

    Raises:
        InputError: a negative concentration.
    """
    sheet = load_sheet()
    held = read_quantity(carbon_dioxide, "mol/m^3", "carbon_dioxide", 0.0)
    first = {r.entry.reaction: r.entry.first_order.si for r in read_reactions(sheet) if r.entry.first_order}
    loss = sum(k for text, k in first.items() if text.startswith("ONOOH -> ") and "ONOO-" not in text)
    apart = first["ONOOH -> ONOO- + H+"] / rate_between(sheet, "ONOO-", "H+")
    acid = 10.0 ** (3.0 - ph) / (10.0 ** (3.0 - ph) + apart)
    return quantity(1.0 / (loss * acid + rate_between(sheet, "ONOO-", "carbon_dioxide") * held * (1.0 - acid)), "s")


@dataclass(frozen=True)
class FentonGate:
    """OH made (umol/L) by beam, metal and peroxide together, and with each of them missing."""

    together: Any
    without_beam: Any
    without_metal: Any
    without_peroxide: Any

    @property
    def gain(self) -> Any:
        """Return what the three together make beyond beam with peroxide and metal with peroxide."""
        return self.together - self.without_metal - self.without_beam


def fenton_gate(
    absorbed_dose: object,
    duration: object,
    metal_concentration: object,
    peroxide: object,
    metal: str = "Cu2+",
    reduced_by_particle: object = "0 umol/L",
    solutes: Mapping[str, object] | None = None,
    oxygen: object = "21 %",
    ph: float = 7.0,
    until: object | None = None,
) -> FentonGate:
    """Return the OH of a Fenton reaction that a beam switches on, and what is left of it with one part missing.

    Arguments:
        absorbed_dose: dose to water, such as ``"6 Gy"``.
        duration: time over which it is given.
        metal_concentration: oxidised metal that is in contact with water.
        peroxide: concentration of hydrogen peroxide.
        metal: ``"Cu2+"``, ``"Fe3+"`` or ``"chelated_iron_3"``.
        reduced_by_particle: metal that electrons in the particle reduce by the beam, at most ``direct_cuts``.
        solutes, oxygen, ph: as in ``radiolysis``.
        until: when OH is counted; ten minutes after the dose if not given.

    Raises:
        InputError: a metal without a reduced form, more reduced than there is, or what ``radiolysis`` refuses.

    Validity: OH counted for copper is an upper bound, see the sheet.
    """
    sheet = load_sheet()
    dose = read_quantity(absorbed_dose, "Gy", "absorbed_dose", 0.0)
    length = read_quantity(duration, "s", "duration", 1e-6)
    end = length + AFTER if until is None else read_quantity(until, "s", "until", length)
    ion = solute_name(sheet, metal, "metal")
    if ion not in REDUCED:
        raise InputError("metal", f"`{metal}`", " or ".join(REDUCED))
    held = read_quantity(metal_concentration, "mol/m^3", "metal_concentration", 0.0)
    ready = read_quantity(reduced_by_particle, "mol/m^3", "reduced_by_particle", 0.0, held)
    base = read_conditions(solutes, oxygen, ph, "25 degC", "low", count=("OH",))
    oxidant = read_quantity(peroxide, "mol/m^3", "peroxide", 0.0)

    def made(beam: bool, metal_there: bool, peroxide_there: bool) -> Any:
        first = ready if beam else 0.0
        extra = {ion: held - first, REDUCED[ion]: first} if metal_there else {}
        extra |= {"hydrogen_peroxide": oxidant} if peroxide_there else {}
        given = replace(base, solutes={**base.solutes, **extra})
        course = irradiate(dose if beam else 0.0, length, given, np.array([0.0, length, end]))
        tracks = DENSITY * course.dose * radical_yields(ph)["OH"]
        return quantity((tracks + course.made("OH")) * 1e3, "umol/L")

    return FentonGate(made(True, True, True), made(False, True, True), made(True, False, True), made(True, True, False))
