"""Double-strand breaks, simple and complex, their repair in time, and what goes wrong: misrepair, aberrations, death.

    made        N = y B D, share c complex                             y per base pair and Gy, B base pairs
    repair      dN_i/dt = s_i R(t) - k_i N_i                           i: fast (simple), slow (complex), very slow
    pairs       p(N) = (x + x^2) / (1 + x + x^2),  x = eta N           chance to be joined to a wrong end
    eta         2 <exp(-r^2 / 2 sigma^2)> / w                          mean over pairs of points in the nucleus
    clusters    eta + eta_c m / N: m further breaks of the same event within a sphere of relative radius rho
    misrepair   sum_i [(1 - f_i) + f_i P] r_i,  r_i repaired breaks, f_i fidelity, P their mean chance p
    lethal      l times misrepaired breaks

While no breaks are made the pairs have a closed form whatever the routes: int p dN depends on first and last N alone.
At low dose lethal = D y B l sum_i s_i (1 - f_i): failure times lethality. Where a route is missing, a share of its
breaks goes the very slow way. Times are hours. Validity: photons; clusters as one average event. Sources: sheet
``damage_and_repair``; form and constants mcmahon_2016, mcmahon_2017.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cell.linear_flow import check_times, follow_pulse
from nanotrial.cell.linear_quadratic import line_id
from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array, read_quantities, read_quantity

ROUTES = ("fast", "slow", "very_slow")
DEFECTS = ("none", "end_joining", "recombination")
_NODES = 48


@dataclass(frozen=True)
class Repair:
    """Constants of breaks and their repair for one line, as bare numbers (1/h, 1/Gy): what the laws below need.

    ``shares``, ``rates`` and ``fidelities`` are those of the fast, slow and very slow route.
    """

    breaks_per_dose: float
    shares: tuple[float, float, float]
    rates: tuple[float, float, float]
    fidelities: tuple[float, float, float]
    spread: float
    skew: float
    lethality: float
    apoptosis: float
    mitotic: float
    direct: float

    @property
    def pair_constant(self) -> float:
        """Return eta, the chance of misrepair per other break in the nucleus."""
        return pair_constant(self.spread) / self.skew

    def low_dose_slope(self) -> float:
        """Return lethal aberrations per Gy at low dose: breaks times failure times lethality."""
        failed = sum(s * (1.0 - f) for s, f in zip(self.shares, self.fidelities, strict=True))
        return self.breaks_per_dose * failed * self.lethality


def read_repair(cells: str, defect: str = "none", complex_share: float | None = None, sheet: Any = None) -> Repair:
    """Return the constants of repair of a line.

    Arguments:
        cells: id of ``catalogue/radiosensitivity``, for its base pairs and p53.
        defect: ``none``; ``end_joining`` (simple breaks fail, and both routes join badly); ``recombination`` (complex
            breaks fail or are joined badly).
        complex_share: of breaks; None is that of photons.
        sheet: a DamageAndRepair; None is that of mammalian cells.

    Raises:
        CatalogueError: an unknown line. InputError: an unknown defect, a share outside 0 to 1.
    """
    line = Catalogue().load("radiosensitivity", line_id(cells), "cells")
    known = Catalogue().load("damage_and_repair", "mammalian") if sheet is None else sheet
    repair = make_repair(known, line.dna_content.si, defect, complex_share)
    # Without p53 cells do not stop before S, and do not die of the breaks that they would stop with.
    return repair if line.p53 == "wild type" else replace(repair, apoptosis=0.0)


def make_repair(sheet: Any, base_pairs: float, defect: str = "none", complex_share: float | None = None) -> Repair:
    """Return constants of repair from a sheet and the base pairs of a nucleus; arguments as for ``read_repair``."""
    if defect not in DEFECTS:
        raise InputError("defect", f"`{defect}`", f"one of {', '.join(DEFECTS)}")
    c = float(sheet.complex_share.si) if complex_share is None else float(complex_share)
    if not 0.0 <= c <= 1.0:
        raise InputError("complex_share", f"{c:g}", "a share of 0 to 1")
    lost = float(sheet.defect_share.si)
    fast, slow = 1.0 - c, c
    good, poor = sheet.end_joining_fidelity.si, sheet.very_slow_fidelity.si
    kept = (good, good, poor)
    if defect == "end_joining":
        fast, kept = fast * (1.0 - lost), (poor, poor, poor)
    if defect == "recombination":
        slow, kept = slow * (1.0 - lost), (good, poor, poor)
    rates = tuple(getattr(sheet, f"{route}_repair").si * 3600.0 for route in ROUTES)
    return Repair(
        breaks_per_dose=sheet.breaks_per_dose.si * base_pairs, shares=(fast, slow, 1.0 - fast - slow),
        rates=(rates[0], rates[1], rates[2]), fidelities=kept, spread=sheet.misrepair_range.si,
        skew=sheet.misrepair_skew.si, lethality=sheet.misrepair_lethality.si, apoptosis=sheet.apoptosis_per_break.si,
        mitotic=sheet.mitotic_death_per_break.si, direct=sheet.direct_death_per_break.si,
    )  # fmt: skip


def pair_constant(spread: float, radius: float = 1.0) -> float:
    """Return 2 <exp(-r^2 / 2 sigma^2)> over pairs of points in a sphere: two wrong ends for every other break.

    The density of distances is 3 r^2 / R^3 - 9 r^3 / 4 R^4 + 3 r^5 / 16 R^6, 0 to 2 R.

    Arguments:
        spread: sigma. radius: R of the sphere, in the same unit.
    """
    s = spread / radius
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = min(2.0, 12.0 * s) / 2.0  # nothing is left of the Gaussian beyond twelve sigma
    r = half * (nodes + 1.0)
    density = 3.0 * r**2 - 2.25 * r**3 + 0.1875 * r**5
    return float(2.0 * half * weights @ (density * np.exp(-0.5 * (r / s) ** 2)))


def wrong_partner(breaks: Array | float, pair: Array | float) -> Array:
    """Return p(N), the chance that a break that is joined now gets a wrong end."""
    x = np.asarray(breaks, dtype=float) * pair
    return np.asarray((x + x * x) / (1.0 + x + x * x))


def misrepaired_by_pairs(first: Array | float, last: Array | float, pair: Array | float) -> Array:
    """Return int p dN from ``last`` to ``first`` breaks: those that repair joins to wrong ends.

    x - (2 / sqrt 3) atan((2 x + 1) / sqrt 3), between the ends, over eta; the series where x is small.
    """
    first, last, pair = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (first, last, pair)))
    high, low = first * pair, last * pair
    safe = np.where(pair > 0.0, pair, 1.0)
    root = math.sqrt(3.0)
    # atan a - atan b as one arc tangent: the difference of two near numbers would lose digits.
    arc = np.arctan(root * (high - low) / (2.0 + high + low + 2.0 * high * low))
    exact = (high - low - 2.0 / root * arc) / safe
    # p = x - x^3 + x^4 - ... for small x
    series = ((high**2 - low**2) / 2.0 - (high**4 - low**4) / 4.0 + (high**5 - low**5) / 5.0) / safe
    return np.where(pair > 0.0, np.where(high < 3e-3, series, exact), 0.0)


def repair_breaks(
    cells: str | Repair, absorbed_dose: object, times: object, *, duration: object = "0 s", cluster: float = 0.0,
    cluster_radius: float = 0.1,
) -> Any:  # fmt: skip
    """Return breaks that are left, misrepaired breaks and lethal aberrations against time after a dose.

    Arguments:
        cells: id of a line, or constants from ``read_repair``.
        absorbed_dose: one dose, at a constant rate over ``duration`` from time zero.
        times: rising times from the start, text, quantity or list.
        duration: of the dose.
        cluster: m, further breaks that the event of a break made beside it (0: none, photons).
        cluster_radius: radius of the sphere that holds them, in radii of the nucleus (0 to 1).

    Returns:
        Dataset over ``time`` (h): fast, slow, very_slow, breaks, misrepaired, lethal; attribute ``made``.

    Raises:
        InputError: a negative dose or number, times that do not rise. UnitError: a wrong unit.

    Validity: see the module. Sources: mcmahon_2016, mcmahon_2017.
    """
    import xarray as xr

    repair = read_repair(cells) if isinstance(cells, str) else cells
    dose = read_quantity(absorbed_dose, "Gy", "absorbed_dose", 0.0, 1e4)
    hours = check_times(read_quantities(times, "h", "times", 0.0))
    length = read_quantity(duration, "h", "duration", 0.0)
    _check_cluster(cluster, cluster_radius)
    if cluster > 0.0 and length > 0.0:
        raise InputError("cluster", f"{cluster:g} with a duration", "clusters after an acute dose, duration `0 s`")
    made = repair.breaks_per_dose * dose
    pair = repair.pair_constant
    if cluster > 0.0 and made > 0.0:
        pair += cluster_constant(repair, cluster, cluster_radius) / made
    pools, wrong = _follow_pools(repair, made, length, hours, pair)
    given = made * np.minimum(hours / length, 1.0) if length > 0.0 else np.full(hours.shape, made)
    joined = given[:, None] * np.asarray(repair.shares) - pools
    chance = wrong / np.maximum(joined.sum(axis=1), 1e-300)
    keep = np.asarray(repair.fidelities)
    misrepaired = np.sum(joined * ((1.0 - keep) + keep * chance[:, None]), axis=1)
    table = dict(zip(ROUTES, pools.T, strict=True))
    table |= {"breaks": pools.sum(axis=1), "misrepaired": misrepaired, "lethal": repair.lethality * misrepaired}
    columns = {name: ("time", column, {"units": "1"}) for name, column in table.items()}
    return xr.Dataset(columns, {"time": ("time", hours, {"units": "h"})}, {"made": made, "units_of_made": "1"})


def _check_cluster(cluster: float, radius: float) -> None:
    if not 0.0 <= cluster < 1e4:
        raise InputError("cluster", f"{cluster:g}", "a number of 0 or more")
    if not 0.0 < radius <= 1.0:
        raise InputError("cluster_radius", f"{radius:g}", "a radius of 0 to 1 radii of the nucleus")


def cluster_constant(repair: Repair, cluster: float, radius: float) -> float:
    """Return eta_c m: partners that a break's own event left beside it, times the chance to meet each."""
    _check_cluster(cluster, radius)
    return cluster * pair_constant(repair.spread, radius) / repair.skew


def _follow_pools(repair: Repair, made: float, length: float, hours: Array, pair: float) -> tuple[Array, Array]:
    """Return breaks by route at all times (t, 3), and how many were joined to wrong partners by then (t,)."""
    rates, given = np.asarray(repair.rates), made * np.asarray(repair.shares)
    pools = follow_pulse(np.diag(-rates), given, length, hours)
    if length == 0.0:
        return pools, misrepaired_by_pairs(made, pools.sum(axis=1), pair)
    source, during, after = given / length, np.minimum(hours, length), hours > length
    at_end = source / rates * -np.expm1(-rates * length)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    wrong = np.empty(hours.shape)
    for i, end in enumerate(during):
        inner = end / 2.0 * (nodes + 1.0)
        there = source / rates * -np.expm1(-rates * inner[:, None])
        wrong[i] = end / 2.0 * weights @ (wrong_partner(there.sum(axis=1), pair) * (there @ rates))
    wrong[after] += misrepaired_by_pairs(at_end.sum(), pools[after].sum(axis=1), pair)
    return pools, wrong


def survive_breaks(
    cells: str | Repair, absorbed_dose: object, *, release: object = "24 h", mitosis: object = None,
    cluster: float = 0.0, cluster_radius: float = 0.1,
) -> Any:  # fmt: skip
    """Return survival from breaks: S = exp(-lethal - a N(release) - b N(mitosis) - d N_made).

    Arguments:
        cells: id of a line, or constants from ``read_repair``.
        absorbed_dose: acute doses, any shape.
        release: time after which cells that stopped before S go on; unrepaired breaks then kill (p53 of wild type).
        mitosis: time at which cells of G2 divide; None for cells of G1, which repair before they do.
        cluster, cluster_radius: as for ``repair_breaks``.

    Returns:
        A number, or an array of the shape of the doses.

    Raises:
        InputError: a negative dose or time. UnitError: a wrong unit.
    """
    repair = read_repair(cells) if isinstance(cells, str) else cells
    doses = read_quantities(absorbed_dose, "Gy", "absorbed_dose", 0.0, 1e4)
    made = repair.breaks_per_dose * doses
    pair = np.full(doses.shape, repair.pair_constant)
    _check_cluster(cluster, cluster_radius)
    if cluster > 0.0:
        own = cluster_constant(repair, cluster, cluster_radius)
        pair = pair + np.where(made > 0.0, own / np.maximum(made, 1e-300), 0.0)
    chance = misrepaired_by_pairs(made, 0.0, pair) / np.maximum(made, 1e-300)
    share = sum(s * ((1.0 - f) + f * chance) for s, f in zip(repair.shares, repair.fidelities, strict=True))
    log = made * (share * repair.lethality + repair.direct)
    if mitosis is None:
        log = log + repair.apoptosis * _left(repair, made, read_quantity(release, "h", "release", 0.0))
    else:
        log = log + repair.mitotic * _left(repair, made, read_quantity(mitosis, "h", "mitosis", 0.0))
    found = np.exp(-log)
    return found if doses.ndim else float(found)


def _left(repair: Repair, made: Array, hours: float) -> Array:
    return made * sum(s * math.exp(-k * hours) for s, k in zip(repair.shares, repair.rates, strict=True))
