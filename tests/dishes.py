"""Small dishes and single cells in a bath for tests: a study from a few words, sheets with values at will."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import casadi as ca
import numpy as np
from tubes import TIGHT

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cell.bath import cell_in_bath
from nanotrial.cell.culture import Cells
from nanotrial.network.model import Network
from nanotrial.network.terms import Term
from nanotrial.solve.compiled import compile_network
from nanotrial.solve.run import Tolerances, Trajectory, simulate_network
from nanotrial.study import Study, read_study

CATALOGUE = Catalogue()
LINES = CATALOGUE.ids("cells")
PARTICLE = {"core": "calcium_peroxide", "diameter": "20 nm"}
SETS = {
    "calcium": ("calcium_handling", "mammalian_calcium"),
    "redox": ("redox", "mammalian_redox"),
    "coupling": ("coupling", "peroxide_targets"),
    "energetics": ("energetics", "mammalian_energetics"),
}


def make_dish(
    add: Sequence[Mapping[str, Any]] = (),
    remove: Sequence[Mapping[str, Any]] = (),
    particles: Mapping[str, Any] | None = None,
    arms: Sequence[Mapping[str, Any]] | None = None,
    measure: Mapping[str, Any] | None = None,
    **subject: Any,
) -> Study:
    """Return a study in a dish; without ``arms`` it has one arm of these additions and removals."""
    table = {
        "title": "made by a test",
        "place": "dish",
        "particle": dict(particles if particles is not None else {"bare": PARTICLE}),
        "subject": {"cells": "4t1", "cell_classes": 1, **subject},
        "arm": list(arms or [{"name": "arm", "add": list(add), "remove": list(remove)}]),
        "measure": dict(measure or {"viability": {"at": ["0 h", "24 h"]}}),
    }
    return read_study(table, Path("made.toml"), CATALOGUE)


def with_numbers(sheet: Any, **numbers: float) -> Any:
    """Return a sheet with other numbers, each in the unit of the sheet; ``part__key=2.0`` names a nested one."""
    for path, number in numbers.items():
        key, _, rest = path.partition("__")
        old = getattr(sheet, key)
        new = with_numbers(old, **{rest: number}) if rest else dataclasses.replace(old, value=number)
        sheet = dataclasses.replace(sheet, **{key: new})
    return sheet


def line_of(name: str = "4t1", **numbers: float) -> tuple[str, Any]:
    """Return id and sheet of a line, with numbers replaced."""
    return name, with_numbers(CATALOGUE.load("cells", name), **numbers)


def sheets_of(**sheets: Any) -> dict[str, tuple[str, Any]]:
    """Return the usual sets of a cell; ``redox=None`` leaves one out, ``redox="selvaggio_2018"`` or a sheet sets it."""
    found: dict[str, tuple[str, Any]] = {}
    for key, (kind, usual) in SETS.items():
        chosen = sheets.get(key, usual)
        if isinstance(chosen, str):
            found[key] = (f"{key}_set", CATALOGUE.load(kind, chosen))
        elif chosen is not None:
            found[key] = (f"{key}_set", chosen)
    return found


def one_cell(line: tuple[str, Any] | str = "4t1", sets: Mapping[str, Any] | None = None, **bath: Any) -> Cells:
    """Return a cell in a bath; ``bath`` is passed on."""
    return cell_in_bath(line_of(line) if isinstance(line, str) else line, sets or sheets_of(), **bath)


def play_cell(
    cells: Cells, seconds: Sequence[float], changes: dict[str, float] | None = None, tolerances: Tolerances = TIGHT
) -> Trajectory:
    return simulate_network(cells.network, list(seconds), changes=changes, tolerances=tolerances)


class Standing:
    """A network at its start (or with amounts at will): values of terms and the slopes of its states, nothing run."""

    def __init__(
        self, network: Network, changes: Mapping[str, float] | None = None, amounts: Mapping[str, float] | None = None
    ) -> None:
        self.network = network
        self.compiled = compile_network(network)
        self.parameters = self.compiled.parameters(dict(changes or {}))
        self.amounts = np.asarray(self.compiled.initial(self.parameters).full()).ravel()
        for name, amount in (amounts or {}).items():
            self.amounts[self.compiled.species_names.index(name)] = amount
        first = np.array([g for block in network.equilibria.values() for g in block.guesses])
        self.unknowns = self.compiled.solve_equilibria(self.amounts, self.parameters, first)

    def of(self, term: Term) -> float:
        """Return the SI value of a term."""
        network = self.network
        symbols = [s.symbol for s in network.species.values()]
        symbols += [s for block in network.equilibria.values() for s in block.symbols]
        given = ca.vertcat(*[p.symbol for p in network.parameters.values()])
        f = ca.Function("f", [ca.vertcat(*symbols), given], [term.expression])
        return float(f(np.concatenate([self.amounts, self.unknowns]), self.parameters))

    def __getitem__(self, name: str) -> float:
        """Return an amount or an equilibrium variable."""
        names = (*self.compiled.species_names, *self.compiled.unknown_names)
        return float(np.concatenate([self.amounts, self.unknowns])[names.index(name)])

    def rates(self) -> dict[str, float]:
        """Return the SI rate of every process."""
        network = self.network
        symbols = [s.symbol for s in network.species.values()]
        symbols += [s for block in network.equilibria.values() for s in block.symbols]
        given = ca.vertcat(*[p.symbol for p in network.parameters.values()])
        rows = ca.vertcat(*[p.rate.expression for p in network.processes.values()])
        f = ca.Function("f", [ca.vertcat(*symbols), given], [rows])
        found = np.asarray(f(np.concatenate([self.amounts, self.unknowns]), self.parameters).full()).ravel()
        return dict(zip(network.processes, found.tolist(), strict=True))

    def slopes(self) -> dict[str, tuple[float, float]]:
        """Return for each state its slope (SI per second) and the largest single contribution to it."""
        found = {name: (0.0, 0.0) for name in self.network.species}
        rates = self.rates()
        for name, process in self.network.processes.items():
            for species, count in process.stoichiometry.items():
                slope, largest = found[species]
                found[species] = (slope + count * rates[name], max(largest, abs(count * rates[name])))
        return found
