"""Calcium phosphates with round numbers, for tests of laws that must not depend on the sheets of the catalogue."""

from __future__ import annotations

from dataclasses import replace

from nanotrial.catalogue.mineral_schema import Growth, Inhibition, Nucleation, Phase, Transformation
from nanotrial.values import Value


def number(value: float, unit: str) -> Value:
    return Value(value=value, unit=unit, source="assumed", grade="assumed")


def nucleation(energy: float, prefactor: float = 1e30, surface_prefactor: float = 1e20) -> Nucleation:
    return Nucleation(
        interfacial_energy=number(energy, "mJ/m^2"),
        prefactor=number(prefactor, "1/m^3/s"),
        surface_prefactor=number(surface_prefactor, "1/m^2/s"),
    )


def growth(rate: float, order: float, dissolution: float) -> Growth:
    return Growth(
        rate_constant=number(rate, "mol/m^2/s"),
        order=number(order, "1"),
        activation_energy=number(60.0, "kJ/mol"),
        dissolution_rate=number(dissolution, "mol/m^2/s"),
    )


def turning(name: str, per_hour: float) -> Transformation:
    return Transformation(name=name, rate=number(per_hour, "1/h"), activation_energy=number(60.0, "kJ/mol"))


def inhibition(name: str, acts_on: list[str], half: float, order: float = 1.0) -> Inhibition:
    return Inhibition(name=name, acts_on=acts_on, half_effect=number(half, "umol/L"), order=number(order, "1"))


def hydroxyapatite() -> Phase:
    return Phase(
        name="hydroxyapatite",
        formula="Ca5(PO4)3OH",
        products={"calcium": 5.0, "phosphate": 3.0},
        ion_product={"Ca+2": 5.0, "PO4-3": 3.0, "H+": -1.0},
        log_k=number(-44.333, "1"),
        molar_mass=number(502.3, "g/mol"),
        density=number(3160.0, "kg/m^3"),
        nucleation=nucleation(90.0, 1e8, 1e4),
        growth=growth(1e-8, 1.25, 1e-7),
    )


def octacalcium_phosphate() -> Phase:
    return Phase(
        name="octacalcium phosphate",
        formula="Ca4H(PO4)3",
        products={"calcium": 4.0, "phosphate": 3.0},
        ion_product={"Ca+2": 4.0, "PO4-3": 3.0, "H+": 1.0},
        log_k=number(-47.08, "1"),
        molar_mass=number(491.3, "g/mol"),
        density=number(2610.0, "kg/m^3"),
        nucleation=nucleation(50.0, 1e8, 1e4),
        growth=growth(1e-9, 4.0, 1e-7),
        transforms=[turning("hydroxyapatite", 0.1)],
    )


def amorphous_calcium_phosphate() -> Phase:
    return Phase(
        name="amorphous calcium phosphate",
        formula="Ca3(PO4)2",
        products={"calcium": 3.0, "phosphate": 2.0},
        ion_product={"Ca+2": 3.0, "PO4-3": 2.0},
        log_k=number(-25.5, "1"),
        molar_mass=number(364.2, "g/mol"),
        density=number(2200.0, "kg/m^3"),
        structure="amorphous",
        nucleation=nucleation(25.0, 1e25, 1e15),
        growth=growth(1e-6, 1.0, 1e-6),
        transforms=[turning("octacalcium_phosphate", 1.0)],
    )


def ladder() -> dict[str, Phase]:
    """Return the three steps of Ostwald's rule."""
    return {
        "amorphous_calcium_phosphate": amorphous_calcium_phosphate(),
        "octacalcium_phosphate": octacalcium_phosphate(),
        "hydroxyapatite": hydroxyapatite(),
    }


def alone(phase: Phase, **changes: object) -> Phase:
    """Return a phase that turns into nothing, with some fields replaced."""
    return replace(phase, **{"transforms": [], **changes})
