"""`nanotrial power`: how surely an experiment of a given size would show a difference from its control."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nanotrial.cli.check import show_warnings
from nanotrial.cli.guard import DONE, FAILED
from nanotrial.cli.output import Row, heading, note, progress_bar, say, write_json, write_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from nanotrial.experiment import StudyResult
    from nanotrial.study import Cohort, Measure, Study

    Vector = NDArray[np.float64]

USUAL_SIZES, USUAL_WORLDS = "3,5,8,12", 50
# The power that experiments are usually planned for.
WANTED = 0.8
UNKNOWN = (
    "Power is here the share of worlds in which Welch's test finds a difference. Worlds differ in everything that is "
    "unknown, so it includes that the effect itself may be smaller, larger or none: more subjects do not lift that. "
    "Tests are not adjusted for the number of arms."
)


def examine_power(
    study: Annotated[Path, typer.Argument(help="Study file (TOML).")],
    measure: Annotated[str, typer.Option(help="Name of a measure of the study.")],
    at: Annotated[
        str | None, typer.Option(help="Time of the reading with its unit, such as `24 h`; by default the last.")
    ] = None,
    arm: Annotated[
        list[str] | None, typer.Option(help="Name of an arm, may be given again; by default all that show the measure.")
    ] = None,
    sizes: Annotated[str, typer.Option(help="Subjects per arm, whole numbers with commas.")] = USUAL_SIZES,
    members: Annotated[int, typer.Option(min=2, max=10_000, help="Worlds: draws of what is unknown.")] = USUAL_WORLDS,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> int:
    """Ask how many subjects it takes. Plays arms and control, and tests each size of cohort in every world."""
    from nanotrial.study import load_study

    loaded = load_study(study)
    chosen = loaded.measure(measure)
    time = _time_of(loaded, chosen, at)
    numbers = _sizes_of(sizes)
    arms = _arms_of(loaded, chosen.name, arm or [])
    show_warnings(loaded)
    found = _play(loaded, arms, time, max(numbers), members, seed, quiet)
    about = _summary(found, measure, time, numbers)
    if as_json:
        write_json(about)
    else:
        _show(study, about)
    for one in found.arms:
        if one.status != "done":
            note(f"Failed: {one.reason}")
        elif one.members_failed:
            each = members * (max(numbers) + 1)
            note(f"Failed: {one.members_failed} of {each} members of `{one.name}`; the first: {one.member_reasons[0]}")
    return FAILED if any(one.status != "done" or one.members_failed for one in found.arms) else DONE


def _time_of(study: Study, measure: Measure, at: str | None) -> float:
    """Return a time of the measure (s): the one asked for, or its last."""
    from nanotrial.errors import StudyError
    from nanotrial.units import display, parse

    if at is None:
        return measure.times[-1]
    time = parse(at, "h", "--at")
    near = min(measure.times, key=lambda t: abs(t - time))
    if abs(near - time) <= 1.0:  # a second: what rounding of hours and minutes may leave
        return near
    listed = ", ".join(display(t, "h", 4) for t in sorted(measure.times, key=lambda t: abs(t - time))[:3])
    raise StudyError(
        f"{study.path.name}: measure.{measure.name}",
        f"no reading at {display(time, 'h', 4)}",
        f"one of its {len(measure.times)} times",
        f"The nearest: {listed}.",
    )


def _sizes_of(text: str) -> list[int]:
    """Return the sizes of cohorts that are asked for, rising."""
    from nanotrial.errors import InputError
    from nanotrial.study.cohort import MOST_SUBJECTS

    expected = f"whole numbers from 2 to {MOST_SUBJECTS} with commas, such as {USUAL_SIZES}"
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 2 <= int(part) <= MOST_SUBJECTS for part in parts):
        raise InputError("--sizes", f"`{text}`", expected)
    return sorted({int(part) for part in parts})


def _arms_of(study: Study, measure: str, asked: Sequence[str]) -> list[str]:
    """Return the arms to be tested; the control comes first."""
    from nanotrial.errors import StudyError
    from nanotrial.fit.overlay import Overlay
    from nanotrial.places import build_arm

    control, fits = _cohort(study).control, Overlay.of_study(study)
    if control in asked:
        raise StudyError("--arm", f"`{control}`", "an arm other than the control", "Leave it out: it is always played.")
    names = [study.arm(name).name for name in dict.fromkeys(asked)] or [a.name for a in study.arms if a.name != control]
    if not names:
        raise StudyError(f"{study.path.name}: arm", f"`{control}` alone", "an arm beside the control")
    shown = [n for n in (control, *names) if measure in build_arm(study, study.arm(n), fits).network.observables]
    for name in (control, *asked):
        if name not in shown:
            where = f"{study.path.name}: cohort.control" if name == control else "--arm"
            raise StudyError(where, f"`{name}`, which does not show `{measure}`", "an arm that shows the measure")
    for name in names:
        if name not in shown:
            note(f"`{name}` is left out: it does not show `{measure}`")
    if len(shown) < 2:
        raise StudyError("--measure", f"`{measure}`, which `{control}` alone shows", "a measure that other arms show")
    return shown


def _cohort(study: Study) -> Cohort:
    assert study.cohort is not None
    return study.cohort


def _play(
    study: Study, arms: Sequence[str], time: float, subjects: int, worlds: int, seed: int, quiet: bool
) -> StudyResult:
    """Return the chosen arms played to the time; measures stay, because dyes of one are used by others."""
    from nanotrial.errors import SolveError
    from nanotrial.experiment import simulate, usual_workers
    from nanotrial.solve.ensemble import cores

    some = replace(
        study,
        arms=tuple(a for a in study.arms if a.name in arms),
        measures=tuple(replace(m, times=(time,)) for m in study.measures),
    )
    workers = usual_workers(study.place, len(arms), cores())
    with progress_bar(len(arms), "arm", quiet) as begin:
        found = simulate(some, members=worlds, seed=seed, subjects=subjects, progress=begin, workers=workers)
    control = found.arm(_cohort(study).control)
    if control.status != "done":
        raise SolveError(f"the control did not run, nothing can be compared with it: {control.reason}")
    return found


def _summary(found: StudyResult, measure: str, time: float, sizes: Sequence[int]) -> dict[str, Any]:
    """Return plain numbers in the unit of the measure."""
    from nanotrial.study import measure_unit

    study, cohort, unit = found.study, _cohort(found.study), measure_unit(measure)
    readings, typical = _readings(found, measure)
    about: dict[str, Any] = {
        "measure": measure,
        "at_h": time / 3600.0,
        "unit": unit,
        "control": cohort.control,
        "control_sd": _between(readings[cohort.control], unit),
        "alpha": cohort.alpha,
        "subject_word": cohort.word,
        "worlds": found.members,
        "members": found.members * (found.subjects + 1) * len(found.arms),
        "members_failed": sum(a.members_failed for a in found.arms),
        "seed": found.seed,
        "sizes": list(sizes),
        "wanted": WANTED,
        "note": UNKNOWN,
    }
    rows = []
    for arm in study.arms:
        if arm.name in readings and arm.name != cohort.control:
            rows.append(_row(arm.name, readings, typical, cohort, sizes, unit))
    return about | {"arms": rows}


def _readings(found: StudyResult, measure: str) -> tuple[dict[str, Vector], dict[str, Vector]]:
    """Return by arm noisy readings, shape (worlds, subjects), and true values of typical subjects, shape (worlds,)."""
    import numpy as np

    from nanotrial.experiment import measure_noise, noisy_readings

    done = [a for a in found.arms if a.status == "done"]
    true = np.stack([a.members[measure][:, -1].reshape(found.members, found.subjects) for a in done], axis=1)
    names = [a.name for a in done]
    read = noisy_readings(measure, names, true, measure_noise(found.study, measure), found.seed)
    return dict(zip(names, np.moveaxis(read, 1, 0), strict=True)), {a.name: a.typical[measure][:, -1] for a in done}


def _row(
    name: str,
    readings: dict[str, Vector],
    typical: dict[str, Vector],
    cohort: Cohort,
    sizes: Sequence[int],
    unit: str,
) -> Row:
    """Return what is found of one arm: difference of typical subjects by world, spread, power of each size."""
    import numpy as np

    from nanotrial.statistics.power import assurance
    from nanotrial.units import difference_from_si

    apart = typical[name] - typical[cohort.control]
    apart = apart[np.isfinite(apart)]
    low, middle, high = np.quantile(apart, [0.05, 0.5, 0.95]) if len(apart) else (np.nan,) * 3
    both = np.stack([readings[name], readings[cohort.control]], axis=1)
    power: list[Row] = []
    for size in sizes:
        (one,) = assurance(both[:, :, :size], 1, cohort.alpha)
        point: Row = {"n": size, "power": one.share, "low": one.low, "high": one.high}
        power.append(point | {"worlds": one.worlds, "undefined": one.undefined})
    return {
        "arm": name,
        "difference": difference_from_si(float(middle), unit),
        "difference_low": difference_from_si(float(low), unit),
        "difference_high": difference_from_si(float(high), unit),
        "sd": _between(readings[name], unit),
        "power": power,
        "smallest": next((row["n"] for row in power if row["power"] >= WANTED), None),
    }


def _between(readings: Vector, unit: str) -> float:
    """Return the SD between readings of one world, root mean square over worlds that have two of them."""
    import numpy as np

    from nanotrial.units import difference_from_si

    n = np.isfinite(readings).sum(axis=1)
    some = readings[n > 1]
    if not len(some):
        return float("nan")
    return float(difference_from_si(float(np.sqrt(np.mean(np.nanvar(some, axis=1, ddof=1)))), unit))


def _show(study: Path, about: dict[str, Any]) -> None:
    from nanotrial.cli.output import cell

    unit = "" if about["unit"] == "1" else f" {about['unit']}"
    sizes, word = about["sizes"], about["subject_word"]
    say(f"{study}: {about['measure']} at {about['at_h']:.4g} h against `{about['control']}`, alpha {about['alpha']:g}")
    say(
        f"{about['worlds']} worlds of {sizes[-1]} {word} per arm and a typical one, seed {about['seed']}: "
        f"{about['members']} members, {about['members_failed']} failed"
    )
    say(f"SD between readings of the control: {cell(about['control_sd'])}{unit}")
    heading(f"Power by number of {word} per arm, with its 95 % interval; difference and SD{unit and ' in' + unit}")
    rows = []
    for one in about["arms"]:
        row: Row = {
            "arm": one["arm"],
            "difference": cell(one["difference"]),
            "5 to 95 %": f"{cell(one['difference_low'])} to {cell(one['difference_high'])}",
            "SD": one["sd"],
        }
        for point in one["power"]:
            known = point["worlds"] > 0
            shown = f"{point['power']:.0%} ({point['low']:.0%}-{point['high']:.0%})"
            row[f"n = {point['n']}"] = shown if known else None
        tested = any(point["worlds"] for point in one["power"])
        row[f"{WANTED:.0%} from"] = one["smallest"] or (f"more than {sizes[-1]}" if tested else None)
        rows.append(row)
    write_table(rows)
    say(f"\n{UNKNOWN}")
