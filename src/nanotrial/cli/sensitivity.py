"""`nanotrial sensitivity`: which parameters a measure of an arm depends on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nanotrial.cli.guard import DONE, FAILED
from nanotrial.cli.output import Row, heading, note, progress_bar, say, write_json, write_table

if TYPE_CHECKING:
    from nanotrial.sensitivity import Sensitivity


def examine_sensitivity(
    study: Annotated[Path, typer.Argument(help="Study file (TOML).")],
    arm: Annotated[str, typer.Option(help="Name of an arm.")],
    measure: Annotated[str, typer.Option(help="Name of a measure of the study.")],
    at: Annotated[str, typer.Option(help="Time of the reading with its unit, such as `24 h`.")],
    method: Annotated[str, typer.Option(help="morris (screening), sobol (shares of variance) or both.")] = "both",
    base: Annotated[int, typer.Option(min=2, max=65536, help="Saltelli blocks, best a power of two.")] = 64,
    trajectories: Annotated[int, typer.Option(min=2, max=10_000, help="Trajectories of the screening.")] = 8,
    keep: Annotated[int, typer.Option(min=1, max=1000, help="Strongest inputs that get shares of variance.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the samples.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> int:
    """Rank what a result depends on. Unknown parameters and differences between subjects, screened and shared out."""
    from nanotrial.study import load_study
    from nanotrial.study.measures import measure_unit
    from nanotrial.units import parse

    loaded = load_study(study)
    time = parse(at, "h", "--at")
    from nanotrial.sensitivity import examine_arm

    with progress_bar(0, "sensitivity", quiet) as step:
        found = examine_arm(loaded, arm, measure, time, method, base, trajectories, keep, seed, progress=step)
    unit = measure_unit(measure)
    about = {
        "arm": arm,
        "measure": measure,
        "at": at,
        "unit": unit,
        **_summary(found, unit),
        "inputs": _rows(found, unit),
    }
    if as_json:
        write_json(about)
    else:
        _show(study, about, found)
    for reason in found.reasons[:3]:
        note(f"Failed: {reason}")
    return FAILED if found.failed else DONE


def _summary(found: Sensitivity, unit: str) -> dict[str, Any]:
    from nanotrial.units import difference_to_si, from_si

    size = difference_to_si(1.0, unit)
    dropped = {k: v.dropped for k, v in (("trajectories", found.morris), ("blocks", found.sobol)) if v is not None}
    return {
        "central": from_si(found.central, unit),
        "sd_of_all": found.variance**0.5 / size,
        "explained_by_kept": found.explained,
        "runs": found.runs,
        "failed": found.failed,
        "dropped": dropped,
        "notes": list(found.notes),
    }


def _rows(found: Sensitivity, unit: str) -> list[Row]:
    """Return one row per input: those with indices first, then by mu*."""
    from nanotrial.units import difference_to_si

    size = difference_to_si(1.0, unit)
    place = {i: k for k, i in enumerate(found.kept)} if found.sobol is not None else {}
    rows = []
    for i, one in enumerate(found.inputs):
        row: Row = {"parameter": one.name, "kind": one.kind, "source": one.source, "grade": one.grade}
        if found.morris is not None:
            row["mu_star"] = float(found.morris.mu_star[i]) / size
            row["sigma"] = float(found.morris.sigma[i]) / size
        if found.sobol is not None:
            k = place.get(i)
            for label, values in (
                ("S1", found.sobol.first),
                ("S1_interval", found.sobol.first_interval),
                ("ST", found.sobol.total),
                ("ST_interval", found.sobol.total_interval),
            ):
                row[label] = None if k is None else float(values[k])
        rows.append(row)
    return sorted(rows, key=lambda r: (r.get("ST") is None, -(r.get("ST") or 0.0), -r.get("mu_star", 0.0)))


def _show(study: Path, about: dict[str, Any], found: Sensitivity) -> None:
    unit = "" if about["unit"] == "1" else f" {about['unit']}"
    say(f"{study}: {about['measure']} of `{about['arm']}` at {about['at']}, {about['central']:.4g}{unit} at the centre")
    say(f"{found.runs} runs, {found.failed} failed; {len(found.inputs)} inputs vary")
    for what, count in about["dropped"].items():
        if count:
            say(f"{count} {what} dropped whole for their failed runs")
    for line in found.notes:
        say(line)
    shown = about["inputs"]
    if found.morris is not None:
        shown = shown[: max(len(found.kept), 20)]
    heading("Inputs, strongest first; mu_star and sigma in the unit of the measure, S1 and ST as shares of variance")
    write_table(shown)
    if len(shown) < len(found.inputs):
        say(f"and {len(found.inputs) - len(shown)} weaker ones (all with --json)")
    if found.sobol is not None and found.explained == found.explained:
        say(f"\nKept inputs carry {about['explained_by_kept']:.0%} of the variance with everything varying")
