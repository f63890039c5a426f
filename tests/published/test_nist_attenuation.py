"""Mass attenuation and energy absorption against the tables of NIST (SRD 126), from 1 keV to 20 MeV.

Two sets: values printed for common materials, and, where it is at hand, the whole table of the elements. Energies at an
edge are those of the table above it. Between edges of one shell the table holds points that its authors interpolated
(gold at 14.04 keV: attenuation as high as above the edge below it, absorption not), so that tolerance is wider there.
"""

from pathlib import Path

import numpy as np
import pytest

from nanotrial.radiation.attenuation import coefficients
from nanotrial.radiation.composition import Composition, composition
from nanotrial.radiation.fluorescence import shell_edges
from nanotrial.radiation.formula import SYMBOLS

TABLE = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "nist_mass_energy_absorption.dat"
FAR, NEAR, BETWEEN = 0.02, 0.05, 0.085
LIGHT = ("H", "C", "N", "O", "Na", "Mg", "P", "S", "Cl", "K", "Ca", "Fe", "Cu", "Zn")
HEAVY = ("Ag", "I", "Gd", "Lu", "Hf", "W", "Pt", "Au", "Bi")
# keV: mu/rho and mu_en/rho in cm2/g.
PRINTED = {
    "water": {20: (0.8096, 0.5503), 80: (0.1837, 0.02597), 200: (0.1370, 0.02967), 1000: (0.07072, 0.03103)},
    "soft_tissue": {20: (0.8230, 0.5663), 80: (0.1823, 0.02617), 200: (0.1358, 0.02942), 1000: (0.07006, 0.03074)},
    "cortical_bone": {20: (4.001, 3.601), 80: (0.2229, 0.06896), 200: (0.1309, 0.03003), 1000: (0.06566, 0.02875)},
    "Au": {20: (78.83, 65.22), 80: (2.185, 1.720), 200: (0.9214, 0.5563), 1000: (0.06953, 0.03525)},
    "Bi": {20: (89.52, 70.60), 80: (2.522, 1.999), 200: (1.033, 0.6014), 1000: (0.07214, 0.03730)},
    "Hf": {20: (60.87, 53.53), 80: (7.352, 2.958), 200: (0.7339, 0.4645), 1000: (0.06502, 0.03188)},
    "Gd": {20: (43.63, 39.94), 80: (5.573, 2.937), 200: (0.5534, 0.3584), 1000: (0.06120, 0.02893)},
    "I": {20: (25.43, 23.63), 80: (3.510, 2.331), 200: (0.3663, 0.2295), 1000: (0.05841, 0.02646)},
    "Ca": {20: (13.06, 12.20), 80: (0.3656, 0.1958), 200: (0.1376, 0.03639), 1000: (0.06388, 0.02780)},
    "HAP": {20: (6.559, 6.037), 80: (0.2589, 0.1034), 200: (0.1297, 0.03108), 1000: (0.06356, 0.02776)},
    "CaO2": {20: (7.646, 7.058), 80: (0.2778, 0.1198), 200: (0.1314, 0.03213), 1000: (0.06381, 0.02786)},
}


@pytest.mark.parametrize("material", PRINTED)
def test_printed_values(material):
    energies = np.array(list(PRINTED[material]), dtype=float)
    printed = np.array(list(PRINTED[material].values()))
    found = coefficients(composition(material), energies)
    assert found.total == pytest.approx(printed[:, 0], rel=0.005)
    assert found.absorption == pytest.approx(printed[:, 1], rel=FAR)


def _nist() -> dict[int, np.ndarray]:
    if not TABLE.is_file():
        pytest.skip("the table of NIST is not part of the repository")
    rows: dict[int, list[list[float]]] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#S"):
            current = rows.setdefault(int(line.split()[1]), [])
        elif line.strip() and not line.startswith("#"):
            current.append([float(number) for number in line.split()])
    return {z: np.array(table) * [1e-3, 1.0, 1.0] for z, table in rows.items()}


def _tolerances(z: int, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the energies to ask for (keV), with both sides of edges, and the tolerance of each."""
    energies, edges = table[:, 0].copy(), np.array(sorted(shell_edges(z).values()))
    for i in np.flatnonzero(np.diff(table[:, 0]) == 0.0):
        edge = edges[np.argmin(np.abs(edges / energies[i] - 1.0))]
        energies[i], energies[i + 1] = edge * (1 - 1e-9), edge * (1 + 1e-9)
    limit = np.where(np.abs(energies[:, None] - edges).min(axis=1) < 1.0, NEAR, FAR)
    for group in ("L", "M"):
        inside = [e for shell, e in shell_edges(z).items() if shell.startswith(group)]
        if inside:
            limit[(energies > min(inside)) & (energies < max(inside) * 0.9999)] = BETWEEN
    return energies, limit


@pytest.mark.parametrize("symbol", LIGHT + HEAVY)
def test_every_energy_of_the_table(symbol):
    z = SYMBOLS[symbol]
    table = _nist()[z]
    energies, limit = _tolerances(z, table)
    found = coefficients(Composition(symbol, ((z, 1.0),)), energies)
    for numbers, column, tolerance in (
        (found.total, 1, np.where(limit == FAR, 0.005, limit)),
        (found.absorption, 2, limit),
    ):
        wrong = np.abs(numbers / table[:, column] - 1.0)
        worst = int(np.argmax(wrong / tolerance))
        assert wrong[worst] < tolerance[worst], (
            f"{symbol}, column {column}, {energies[worst]:g} keV: {wrong[worst]:.4f}"
        )


@pytest.mark.parametrize("material", ["water", "soft_tissue", "cortical_bone", "HAP", "CaO2", "HfO2"])
def test_mixtures_of_the_table(material):
    tables, made_of = _nist(), composition(material)
    energies = np.array(
        [1.0, 1.5, 2, 3, 5, 6, 8, 10, 15, 20, 30, 40, 50, 60, 80, 100, 150, 200, 300, 400, 500, 600, 800]
    )
    energies = np.concatenate([energies, [1e3, 1.25e3, 1.5e3, 2e3, 3e3, 4e3, 5e3, 6e3, 8e3, 1e4, 1.5e4, 2e4]])
    found = coefficients(made_of, energies)
    for numbers, column, tolerance in ((found.total, 1, 0.005), (found.absorption, 2, FAR)):
        expected = np.zeros_like(energies)
        for z, share in made_of.fractions:
            where = [int(np.flatnonzero(np.isclose(tables[z][:, 0], energy))[-1]) for energy in energies]
            expected += share * tables[z][where, column]
        assert numbers == pytest.approx(expected, rel=tolerance)
