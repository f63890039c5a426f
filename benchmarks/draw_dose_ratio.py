"""Draw the figures of docs/theory/dose_around_particles.md and print its tables.

python benchmarks/draw_dose_ratio.py     writes docs/figures/dose_ratio.svg and docs/figures/dose_per_event.svg
"""

from __future__ import annotations

from pathlib import Path

import altair as alt
import numpy as np
import vl_convert

from nanotrial.radiation import nanoscale, particle_case
from nanotrial.radiation.electrons import histories
from nanotrial.radiation.particle_case import GRAY, read_case
from nanotrial.radiation.particles import particle_dose

FIGURES = Path(__file__).parents[1] / "docs" / "figures"
HISTORIES = 40_000
CASES = [(50, 50), (50, 100), (100, 50), (100, 100)]
SHELLS = [(0, 10), (10, 31.6228), (31.6228, 100), (100, 316.228), (316.228, 1000), (1000, 1778.28), (1778.28, 10000)]


def mean_between(edges, values, volumes, low, high):
    some = (edges[:-1] >= low * 0.9999) & (edges[1:] <= high * 1.0001)
    return float((values[..., some] * volumes[some]).sum(axis=-1) / volumes[some].sum())


def ratios():
    """Return the excess of dose in each shell for the four cases: (edges, total, events alone, volumes)."""
    found = {}
    edges = histories.shell_edges()
    for diameter, voltage in CASES:
        case = read_case("gold", f"{diameter} nm", f"eurados_{voltage}", "sphere")
        volumes = np.diff(case.form.volume_within(edges))
        parts = nanoscale.ratio_parts(case, edges, HISTORIES, 1)
        terms = [sign * part.rate * part.scored.mean_shells * GRAY / volumes for sign, part in parts]
        found[diameter, voltage] = edges, sum(terms), terms[0], volumes
    return found


def write(chart, name):
    FIGURES.mkdir(parents=True, exist_ok=True)
    (FIGURES / name).write_text(vl_convert.vegalite_to_svg(chart.to_json()), encoding="utf-8")
    print(f"docs/figures/{name} written")


def draw_ratios(found):
    rows = []
    for (diameter, voltage), (edges, total, _, _) in found.items():
        middles = np.sqrt(edges[1:] * np.maximum(edges[:-1], 0.5))
        some = (total > 1e-5) & (middles < 5000)
        label = f"{diameter} nm, {voltage} kVp"
        rows += [{"r": r, "x": x, "case": label} for r, x in zip(middles[some], total[some], strict=True)]
    axis = alt.Axis(format="~g")
    chart = alt.Chart(alt.Data(values=rows)).mark_line(interpolate="linear")
    chart = chart.encode(
        alt.X("r:Q", scale=alt.Scale(type="log", nice=False), title="distance from the surface (nm)", axis=axis),
        alt.Y("x:Q", scale=alt.Scale(type="log"), title="dose ratio - 1", axis=axis),
        alt.Color("case:N", title="gold, tube", sort=[f"{d} nm, {v} kVp" for d, v in CASES]),
    )
    rule = alt.Chart(alt.Data(values=[{"y": 0.01}])).mark_rule(strokeDash=[4, 4]).encode(y="y:Q")
    write((chart + rule).properties(width=460, height=300), "dose_ratio.svg")


def draw_kernels():
    rows = []
    for size, rays in (("20 nm", "40 keV"), ("100 nm", "50 kV")):
        for method, shown in (("monte_carlo", "Monte Carlo"), ("analytic", "analytic")):
            dose = particle_dose("gold", size, rays, method, histories=HISTORIES)
            middles = np.sqrt(dose.distances[1:] * np.maximum(dose.distances[:-1], 0.5))
            rows += [
                {"r": r, "d": d, "kernel": shown, "case": f"{size}, {rays}"}
                for r, d in zip(middles, dose.dose_per_event, strict=True)
                if d > 1e-6 and r < 3e4
            ]
    axis = alt.Axis(format="~g")
    chart = alt.Chart(alt.Data(values=rows)).mark_line()
    chart = chart.encode(
        alt.X("r:Q", scale=alt.Scale(type="log", nice=False), title="distance from the surface (nm)", axis=axis),
        alt.Y("d:Q", scale=alt.Scale(type="log"), title="dose per event (Gy)", axis=axis),
        alt.Color("case:N", title="gold, beam"),
        alt.StrokeDash("kernel:N", title="kernel", sort=["Monte Carlo", "analytic"]),
    )
    write(chart.properties(width=460, height=300), "dose_per_event.svg")


def print_ratios(found):
    print("\n| distance (nm) | " + " | ".join(f"{d} nm, {v} kVp" for d, v in CASES) + " |")
    print("|---|" + "---|" * len(CASES))
    for low, high in SHELLS:
        cells = [f"{1 + mean_between(e, total, m, low, high):.5g}" for e, total, _, m in found.values()]
        print(f"| {low:.0f}-{high:.0f} | " + " | ".join(cells) + " |")


def print_kernels():
    print("\n| distance (nm) | 20 nm, 40 keV | 50 nm, 100 kV | 100 nm, 50 kV |\n|---|---|---|---|")
    pairs = []
    for size, rays in (("20 nm", "40 keV"), ("50 nm", "100 kV"), ("100 nm", "50 kV")):
        pairs.append([particle_dose("gold", size, rays, m, histories=HISTORIES) for m in ("analytic", "monte_carlo")])
    for low, high in SHELLS:
        cells = []
        for both in pairs:
            volumes = np.diff(4 / 3 * np.pi * both[0].radii ** 3)
            one, two = (mean_between(d.distances, d.dose_per_event, volumes, low, high) for d in both)
            cells.append(f"{one:.3g} / {two:.3g} ({one / two:.2f})")
        print(f"| {low:.0f}-{high:.0f} | " + " | ".join(cells) + " |")
    for both in pairs:
        for d in both:
            rate, inside, out = d.event_rate, d.deposited_inside, d.escaping_energy
            print(f"{d.diameter:g} nm {d.beam} {d.method}: {rate:.4g} /Gy, inside {inside:.3f}, out {out:.3f} keV")


def print_cut_offs():
    """Print the mean ratio within 10 nm where electrons end at higher energies."""
    edges, kept = histories.shell_edges(), particle_case.CUTOFF
    for cutoff in (0.05, 0.25, 1.0):
        particle_case.CUTOFF = cutoff
        case = read_case("gold", "100 nm", "eurados_50", "sphere")
        volumes = np.diff(case.form.volume_within(edges))
        part = nanoscale.events_in(case, particle_case.particle_world(case), edges, HISTORIES, 1)
        excess = part.rate * part.scored.mean_shells * GRAY / volumes
        print(f"cut-off {cutoff} keV: 1 + {mean_between(edges, excess, volumes, 0, 10):.2f} within 10 nm")
    particle_case.CUTOFF = kept


if __name__ == "__main__":
    shown = ratios()
    draw_ratios(shown)
    draw_kernels()
    print_ratios(shown)
    print_kernels()
    print_cut_offs()
