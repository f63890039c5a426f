"""Radiobiology against published numbers: PIDE, the oxygen curve, breaks per dose, foci, and what gold adds by beam."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cell.break_repair import make_repair, pair_constant, read_repair, repair_breaks, survive_breaks
from nanotrial.cell.dose_response import survival
from nanotrial.cell.foci import count_foci
from nanotrial.cell.local_effect import CellGeometry, find_local_effect
from nanotrial.cell.oxygen import oxygen_enhancement, scale_sensitivity
from nanotrial.units import registry

approx = pytest.approx
SHEET = Catalogue().load("damage_and_repair", "mammalian")
LINES = Catalogue().ids("radiosensitivity")


def constants(alpha, beta, bend):
    return {"alpha": f"{alpha} 1/Gy", "beta": f"{beta} 1/Gy^2", "threshold_dose": f"{bend} Gy"}


@pytest.mark.parametrize(("pressure", "ratio"), [(0, 1.0), (1, 1.50), (3, 2.00), (10, 2.54), (38, 2.85), (160, 2.96)])
def test_oxygen_curve_of_alper_and_howard_flanders(pressure, ratio):
    assert oxygen_enhancement(f"{pressure} mmHg") == approx(ratio, abs=5e-3)


def test_oxygen_curve_with_a_maximum_of_2_8():
    pressures = registry().Quantity(np.array([0, 1, 2.5, 3, 5, 10, 20, 40.0]), "mmHg")
    table = [1.00, 1.45, 1.82, 1.90, 2.12, 2.38, 2.57, 2.67]
    assert oxygen_enhancement(pressures, maximum=2.8) == approx(table, abs=6e-3)


def test_oxygen_enhancement_depends_on_dose_as_little_as_published():
    """Wenzl and Wilkens: by at most about a tenth over 1 to 3 Gy a fraction, though alpha and beta change apart."""
    alpha, beta = 0.3, 0.03
    first, second = scale_sensitivity("0 mmHg", 0.42, 0.5)

    def ratio(dose):
        effect = alpha * dose + beta * dose**2
        a, b = alpha * first, beta * second
        return (-a + math.sqrt(a * a + 4 * b * effect)) / (2 * b) / dose

    found = [ratio(d) for d in (1.0, 3.0)]
    assert abs(found[1] / found[0] - 1) < 0.11
    assert 2.0 < min(found) <= max(found) < 3.0
    assert found[0] != approx(found[1], rel=1e-3)


def test_two_determinations_of_v79_and_of_hsg_agree():
    doses = registry().Quantity(np.array([2.0, 4.0, 6.0, 8.0]), "Gy")
    pairs = {
        "V79": (constants(0.138, 0.0253, 17.0), constants(0.184, 0.020, 17.0), 0.2),
        "HSG": (constants(0.313, 0.0615, 7.5), constants(0.348, 0.0572, 7.5), 0.12),
    }
    for one, other, tolerance in pairs.values():
        first, second = (-np.log(survival(cells, doses)) for cells in (one, other))
        assert first == approx(second, rel=tolerance)
    straight = -np.log(survival(pairs["HSG"][0], registry().Quantity(np.array([7.5, 9.5, 11.5]), "Gy")))
    assert np.diff(straight) == approx(2 * (0.313 + 2 * 0.0615 * 7.5), rel=1e-9)


# alpha (1/Gy), beta (1/Gy^2) of PIDE 3.4 or the papers it lists, and the factor by which studies differ.
PUBLISHED = {
    "a549": ([(0.075, 0.045), (0.301, 0.0274)], 1.3),
    "u87": ([(0.176, 0.027), (0.157, 0.068), (0.110, 0.060)], 1.3),
    "hela": ([(0.536, 0.0278)], 1.5),
    "mcf_7": ([(0.064, 0.057)], 2.0),
}


@pytest.mark.parametrize("line", PUBLISHED)
def test_lines_lie_between_published_curves(line):
    pairs, factor = PUBLISHED[line]
    for dose in (2.0, 4.0):
        lethal = [a * dose + b * dose**2 for a, b in pairs]
        found = -math.log(survival(line, f"{dose} Gy"))
        assert min(lethal) / factor < found < max(lethal) * factor


def test_lines_are_distributed_as_tumour_lines_of_pide():
    """PIDE 3.4, 85 photon data sets of tumour lines: quartiles of survival at 2 Gy 0.36 to 0.65, median a/b 5.7 Gy."""
    at_two = [survival(line, "2 Gy") for line in LINES]
    assert 0.36 < float(np.median(at_two)) < 0.65
    assert 0.2 < min(at_two) < max(at_two) < 0.9
    sheets = [Catalogue().load("radiosensitivity", line) for line in LINES]
    assert 3.0 < float(np.median([s.alpha.si / s.beta.si for s in sheets])) < 11.1


def test_bands_of_lines_hold_the_published_spread():
    doses = registry().Quantity(np.array([2.0, 4.0]), "Gy")
    for line, (pairs, _) in PUBLISHED.items():
        band = survival(line, doses, draws=600, seed=1).quantile([0.01, 0.99], "draw").values
        for a, b in pairs:
            there = np.exp(-a * doses.magnitude - b * doses.magnitude**2)
            assert np.all((band[0] < there) & (there < band[1])), line


def test_breaks_per_dose_and_their_repair():
    repair = make_repair(SHEET, 6.1e9)
    assert 20 < repair.breaks_per_dose < 45
    assert repair.pair_constant == approx(0.0006506, rel=0.08)
    assert pair_constant(0.04187) < repair.pair_constant
    left = repair_breaks(repair, "2 Gy", registry().Quantity(np.array([0.0, 1.0, 4.0, 24.0]), "h"))["breaks"].values
    # Half are joined within the first two hours, and some hundredth is left after a day.
    assert 0.3 < left[1] / left[0] < 0.6
    assert left[2] / left[0] < 0.25
    assert left[3] / left[0] < 0.02


def test_foci_peak_within_the_first_hour_and_are_nearly_gone_after_a_day():
    t = np.concatenate((np.linspace(0.0, 2.0, 41), [6.0, 24.0]))
    found = count_foci("u87", "1 Gy", registry().Quantity(t, "h")).values - SHEET.background_foci.si
    assert 0.15 < t[int(np.argmax(found))] < 1.0
    per_break = found / read_repair("u87").breaks_per_dose
    assert 0.5 < per_break.max() < 1.0
    assert per_break[-1] < 0.05


def test_breaks_foretell_survival_of_a_line_with_its_p53():
    """Nothing in the model of breaks knows the survival curve of the line: within a factor of 1.5 at 2 Gy."""
    by_breaks, measured = survive_breaks("a549", "2 Gy"), survival("a549", "2 Gy")
    assert math.log(by_breaks) / math.log(measured) == approx(1.0, abs=0.5)


def test_gold_adds_dose_at_kilovolts_and_next_to_nothing_at_6_mv():
    from nanotrial.radiation.particles import particle_dose

    line, sensitivity = Catalogue().load("cells", "hela"), Catalogue().load("radiosensitivity", "hela")
    cell = CellGeometry.of_sheets(line, sensitivity)
    added = {}
    for beam in ("100 kV", "6_mv"):
        around = particle_dose("gold", "50 nm", beam, method="analytic")
        # 2000 particles of 50 nm are 0.8 mg of gold in a gram of cells.
        effect = find_local_effect(around, {"lysosome": 2000.0}, cell, "hela")
        added[beam] = effect.added_dose
        assert effect.added_alpha < 2.0 * sensitivity.alpha.si * effect.added_dose + 1e-3
    assert 0.005 < added["100 kV"] < 0.3
    assert added["6_mv"] < 0.02
    assert added["6_mv"] < 0.1 * added["100 kV"]
