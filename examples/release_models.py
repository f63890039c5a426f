"""Which mechanism explains the three reported numbers of calcium release, and with how many free parameters?

Fits the release of bare calcium peroxide at pH 5, 6 and 7 (80 %, 50 %, below 10 % in 12 h) in turn with a single rate
law in a solution that holds its pH, with a surface that saturates with protons, and with a buffer that runs out of
protons. Priors are made flat (spreads widened tenfold), so that only the form of the law counts.

Run: python examples/release_models.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from nanotrial.experiment import simulate
from nanotrial.fit.estimate import fit_study
from nanotrial.fit.overlay import Overlay
from nanotrial.fit.targets import targets_of
from nanotrial.study import Study, load_study

LAW = "materials/calcium_peroxide:dissolution."
FACTS = ["bare-cao2/1", "bare-cao2/2", "bare-cao2/3"]
STUDY = """
title     = "Release models"
place     = "tube"
published = "calcium_peroxide"

[particle.bare]
core     = "calcium_peroxide"
diameter = "4.5 nm"

[subject]
buffer        = "{buffer}"
concentration = "{strength}"
ph            = 7.0

[[arm]]
name    = "bare, pH {{ph}}, 1 mmol/L"
vary    = {{ ph = [5.0, 6.0, 7.0] }}
subject = {{ ph = "{{ph}}" }}
add     = [{{ particle = "bare", concentration = "{load}", basis = "calcium", at = "0 h" }}]

[measure]
release = {{ at = "12 h" }}
ph      = {{ at = "12 h" }}
"""
HELD = {"buffer": "phosphate", "strength": "200 mmol/L", "load": "0.1 mmol/L"}
RATE, ORDER, WATER, LEVEL = "acid_rate", "acid_order", "water_rate", "saturation_ph"


def study(folder: Path, **setting: str) -> Study:
    """Write and load one variant of the study."""
    path = folder / "study.toml"
    path.write_text(STUDY.format(**setting), encoding="utf-8")
    return load_study(path)


def misfit(reported: list[tuple[str, float, float]]) -> float:
    """Return chi^2 of (relation, predicted, reported) with 5 points of standard deviation."""
    total = 0.0
    for relation, predicted, value in reported:
        error = (predicted - value) / 0.05
        total += max(error, 0.0) ** 2 if relation == "<" else error**2
    return total


def line(name: str, free: int, predicted: list[float], chi2: float, values: str) -> None:
    """Print one row of the table."""
    shown = " / ".join(f"{100 * p:5.1f}" for p in predicted)
    print(f"{name:58s} {free:4d}   {shown}   {chi2:8.2f}   {values}")


def sheet_alone(folder: Path, name: str, free: int, **setting: str) -> None:
    """Predict from the sheets, which know powders only."""
    one = study(folder, **setting)
    result = simulate(one, overlay=Overlay())
    ends = {a.name: float(a.curves["release"][-1]) for a in result.arms}
    targets = targets_of(one, FACTS)
    found = [ends[t.arm] for t in targets]
    chi2 = misfit([(t.relation, f, t.value) for t, f in zip(targets, found, strict=True)])
    line(name, free, found, chi2, setting["load"])


def fitted(folder: Path, name: str, keys: list[str], **setting: str) -> None:
    """Fit some constants of the rate law and print how the three numbers are met."""
    result = fit_study(study(folder, **setting), FACTS, [LAW + k for k in keys], widen=10.0, steps=0)
    rows = [(t.relation, float(p), t.value) for t, p in zip(result.targets, result.predicted, strict=True)]
    values = ", ".join(f"{k} {v.value:.2g}" for k, v in zip(keys, result.values, strict=True))
    line(name, len(keys), [float(p) for p in result.predicted], misfit(rows), values)


def main() -> None:
    """Print the table."""
    print(f"{'model':58s} free   pH 7 / pH 6 / pH 5 (%)     chi2   values")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sheet_alone(folder, "powder rates, pH held", 0, **HELD)
        for load in ("1 mmol/L", "10 mmol/L", "30 mmol/L"):
            setting = {"buffer": "phosphate", "strength": "10 mmol/L", "load": load}
            sheet_alone(folder, "powder rates, 10 mmol/L phosphate, load " + load, 1, **setting)
        fitted(folder, "single rate law, pH held", [RATE, ORDER, WATER], **HELD)
        fitted(folder, "rate law with surface saturation, pH held", [RATE, ORDER, WATER, LEVEL], **HELD)
        for buffer in ("phosphate", "citrate_phosphate", "citrate", "acetate"):
            for load in ("1 mmol/L", "5 mmol/L"):
                setting = {"buffer": buffer, "strength": "10 mmol/L", "load": load}
                fitted(folder, f"rate law, 10 mmol/L {buffer}, load {load}", [RATE, ORDER, WATER], **setting)


if __name__ == "__main__":
    main()
