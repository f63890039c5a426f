"""A network in words: rows for tables of species, processes, parameters and conserved quantities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nanotrial.network.balances import conservation_laws
from nanotrial.units import display, from_si

if TYPE_CHECKING:
    from nanotrial.network.model import Network, Parameter
    from nanotrial.network.terms import Term
    from nanotrial.values import Value

Rows = list[dict[str, Any]]


def compartment_rows(network: Network) -> Rows:
    """Return one row per compartment: its volume and what surrounds things in it, fixed or moving with the run."""
    rows = []
    for place in network.compartments.values():
        around = ", ".join(f"{name} {_fixed_or_moving(value)}" for name, value in place.surroundings.items())
        volume = _fixed_or_moving(place.volume)
        rows.append({"compartment": place.name, "volume": volume, "surroundings": around or "-"})
    return rows


def _fixed_or_moving(value: Term) -> str:
    """Say a constant in SI, or what a term depends on."""
    import casadi as ca

    symbols = [s.name() for s in ca.symvar(value.expression)]
    unit = "" if value.dimension.is_number else f" {value.dimension}"
    return f"follows {', '.join(symbols)}" if symbols else f"{float(ca.DM(value.expression)):.4g}{unit}"


def species_rows(network: Network) -> Rows:
    """Return one row per species: name, compartment, unit and what it holds."""
    return [
        {
            "species": s.name,
            "compartment": s.compartment,
            "unit": s.unit,
            "holds": ", ".join(f"{n:g} {k}" for k, n in s.content.items()) or "-",
        }
        for s in network.species.values()
    ]


def process_rows(network: Network) -> Rows:
    """Return one row per process: name, equation, mechanism and the parameters its rate uses."""
    import casadi as ca

    symbols = {p.symbol.name(): p.name for p in network.parameters.values()}
    rows = []
    for process in network.processes.values():
        used = [symbols[s.name()] for s in ca.symvar(process.rate.expression) if s.name() in symbols]
        rows.append(
            {
                "process": process.name,
                "equation": process.equation,
                "mechanism": process.mechanism or "-",
                "parameters": ", ".join(used) or "-",
            }
        )
    return rows


def parameter_rows(network: Network) -> Rows:
    """Return one row per parameter: value in its unit, spread and grade, source and locator."""
    return [parameter_row(p) for p in network.parameters.values()]


def parameter_row(parameter: Parameter) -> dict[str, Any]:
    """Return the row of a parameter; one without a source was said by the study."""
    if parameter.provenance is not None:
        return value_row(parameter.name, parameter.provenance)
    shown = display(parameter.value, parameter.unit, 4)
    number = from_si(parameter.value, parameter.unit)
    said = {"grade": "study", "source": "-", "locator": "", "note": ""}
    return {"parameter": parameter.name, "value": shown, "number": number, "unit": parameter.unit, **said}


def value_row(name: str, value: Value) -> dict[str, Any]:
    """Return the row of a sourced value."""
    return {
        "parameter": name,
        "value": str(value),
        "number": value.value,
        "unit": value.unit,
        "grade": value.grade,
        "source": value.source,
        "locator": value.locator,
        "note": value.note,
    }


def conserved_rows(network: Network) -> Rows:
    """Return one row per conserved kind and per further law of the stoichiometry."""
    rows = []
    for kind in network.contents():
        opened = [p.name for p in network.processes.values() if kind in p.opens]
        holders = [s.name for s in network.species.values() if kind in s.content]
        rows.append({"conserved": kind, "in": ", ".join(holders), "opened by": ", ".join(opened) or "-"})
    rows.extend(
        {"conserved": "law of the stoichiometry", "in": _law(law), "opened by": "-"}
        for law in conservation_laws(network)
        if 1 < len(law) <= 8
    )
    return rows


def _law(law: dict[str, float]) -> str:
    return " ".join(f"{'+' if w > 0 else '-'} {'' if abs(w) == 1 else f'{abs(w):.3g} '}{n}" for n, w in law.items())
