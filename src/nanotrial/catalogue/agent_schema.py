"""Shape of the sheets of agents: salts, enzymes and drugs that are given beside particles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from nanotrial.values import Value

PerMole = Annotated[Value, "mol/L"]
Number = Annotated[Value, "1"]
Counts = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Agent:
    """Something added beside particles: a dissolved salt, an enzyme, or a drug with a target in the cell.

    ``sensitiser`` is the sheet of a radiosensitiser; an ``arrest`` holds cells at the end of a phase.

    ``accumulation`` is the concentration where it acts over that in the medium, reached at ``entry_rate``.
    """

    name: str
    kind: Literal["enzyme", "solute", "inhibitor", "chelator", "ionophore", "antioxidant", "arrest", "sensitiser"]
    solutes: Counts = field(default_factory=dict)
    strong_charge: int = 0
    acts_on: str = ""
    action: Literal["", "disproportionation", "oxidation", "digestion"] = ""
    unit_substrate: PerMole | None = None
    half_saturation: PerMole | None = None
    inactivation_rate: Annotated[Value, "L/mol/s"] | None = None
    target: Literal[
        "",
        "serca",
        "pmca",
        "exchanger",
        "uniporter",
        "mitochondrial_efflux",
        "pore",
        "ip3_receptor",
        "ryanodine_receptor",
        "store_operated_entry",
        "calcium",
        "glutathione",
        "g1",
        "s",
        "g2m",
    ] = ""
    sensitiser: str = ""
    half_effect: Annotated[Value, "umol/L"] | None = None
    entry_rate: Annotated[Value, "1/s"] | None = None
    accumulation: Number | None = None
    binding_constant: Annotated[Value, "umol/L"] | None = None
    transport_rate: Annotated[Value, "L/umol/s"] | None = None
    glutathione_gain: Number | None = None
    peroxide_rate: Annotated[Value, "L/mol/s"] | None = None

    def problem(self) -> tuple[str, str] | None:
        """Return what is missing for a drug to act, as (found, expected), or None."""
        for key in NEEDED.get(self.kind, ()):
            if getattr(self, key) in (None, ""):
                return f"an agent of kind `{self.kind}` without `{key}`", f"`{key}`"
        phases = ("g1", "s", "g2m")
        if self.kind == "inhibitor" and self.target in ("calcium", "glutathione", *phases):
            return f"an inhibitor of `{self.target}`", "a pump, a channel or the pore as `target`"
        if self.kind == "arrest" and self.target not in phases:
            return f"an arrest of `{self.target}`", "a phase of the cycle as `target`: " + ", ".join(phases)
        if self.kind == "antioxidant" and self.peroxide_rate is None and self.glutathione_gain is None:
            return "an antioxidant that does nothing", "`peroxide_rate`, or `glutathione_gain` with `half_effect`"
        if self.glutathione_gain is not None and self.half_effect is None:
            return "`glutathione_gain` without `half_effect`", "the dose of half its gain"
        return None


# What a drug of each kind cannot do without.
NEEDED = {
    "inhibitor": ("target", "half_effect"),
    "chelator": ("binding_constant", "accumulation"),
    "ionophore": ("transport_rate",),
    "arrest": ("target", "half_effect"),
    "sensitiser": ("sensitiser", "accumulation"),
}
