"""Is calcium around a tumour a danger to the host: 10 mmol/L injected, or mineral that draws on the blood?

Runs a 20 g mouse with local calcium (10 mmol/L) by route and volume, a mouse whose tumour mineral takes calcium
from the 2.35 mmol/L of its blood, a person, and citrate that binds calcium; prints rises, ceilings and grades.

Run: python examples/calcium_safety.py
"""

from __future__ import annotations

from nanotrial.body import CalciumLoad, calcium_load
from nanotrial.budgets.line import Budget

LOCAL = "10 mmol/L in {volume} uL"
MINERAL = ("1 umol", "5 umol", "20 umol")


def line(name: str, run: CalciumLoad) -> str:
    """Return peak, grade, time above the mild threshold and hormone of a run in one line."""
    hormone = 100.0 * run.hormone.min() / run.hormone[0]
    return (
        f"{name:34s} peak {run.peak:.2f} mmol/L ({run.grade}), {run.time_above(run.thresholds[0]) / 60:4.0f} min above "
        f"{run.thresholds[0]:g}, hormone down to {hormone:3.0f} %"
    )


def ceiling(name: str, run: CalciumLoad) -> Budget:
    """Return the budget line of a dose: calcium of plasma if kidney and bone took none of it."""
    room = run.thresholds[0] - run.rest
    return Budget(name, run.ceiling, "mmol/L", room, "rise if all stays outside cells", run.ceiling > room)


def main() -> None:
    """Print the comparison."""
    print("10 mmol/L of calcium in a 20 g mouse")
    for volume in (100, 200):
        for route in ("peritumoral", "intratumoral", "intravenous"):
            run = calcium_load("mouse", LOCAL.format(volume=volume), route)
            print("  " + line(f"{volume} uL {route}", run))
        budget = ceiling(f"{volume} uL", run)
        mark = "can pass it" if budget.binds else "cannot pass it"
        print(f"  ceiling of {budget.name}: +{budget.value:.2f} of {budget.against:.2f} {budget.unit}, {mark}")
    print("mineral in the tumour of a mouse, over a day, out of 2.35 mmol/L")
    for amount in MINERAL:
        run = calcium_load("mouse", "0 mmol", mineral=amount)
        lowest = 100.0 * run.lowest_ionised / run.ionised[0]
        most = run.hormone.max() / run.hormone[0]
        print(
            f"  {amount:8s} ionised calcium down to {lowest:.0f} %, hormone up to {most:.1f} times, grade {run.grade}"
        )
    print("a person of 70 kg")
    print("  " + line("10 mmol/L in 20 mL, peritumoral", calcium_load("human", "10 mmol/L in 20 mL", "peritumoral")))
    print("  " + line("10 mmol in 10 min, intravenous", calcium_load("human", "10 mmol", duration="10 min")))
    run = calcium_load("human", "0 mmol", citrate="0.762 mmol/kg", duration="90 min")
    print(f"  citrate of a platelet donor: ionised calcium {run.ionised[0]:.2f} -> {run.lowest_ionised:.2f} mmol/L")


if __name__ == "__main__":
    main()
