"""`nanotrial fit`: the only way to a fitted value; the file it writes says to what it was fitted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanotrial.cli.output import note, say, write_json, write_table


def fit_parameters(
    study: Annotated[Path, typer.Argument(help="Study file (TOML).")],
    output: Annotated[Path, typer.Option("-o", "--output", help="New file for the fit (TOML).")],
    to: Annotated[list[str], typer.Option("--to", help="What to fit to: id of a fact or curve; may be repeated.")],
    vary: Annotated[
        list[str],
        typer.Option("--vary", help="Value to vary: materials/calcium_peroxide:dissolution.acid_rate; repeatable."),
    ],
    widen: Annotated[float, typer.Option(min=1.0, help="Factor on the spreads of the sheets, the prior.")] = 1.0,
    steps: Annotated[int, typer.Option(min=0, help="Length of the walk through the posterior; 0: none.")] = 3000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the walk.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fit named values to named facts. The file it writes may be named by a study under `fits`."""
    from nanotrial.errors import OutputError
    from nanotrial.fit.estimate import fit_study
    from nanotrial.fit.files import write_fit
    from nanotrial.study import load_study

    loaded = load_study(study)
    if output.exists():
        raise OutputError(f"{output} exists already and is never overwritten. Choose another name with -o.")
    if not output.absolute().parent.is_dir():
        raise OutputError(f"{output.parent} is no folder. Make it first, or choose another place with -o.")
    result = fit_study(loaded, list(to), list(vary), widen, steps, seed, note)
    write_fit(result, output)
    if as_json:
        write_json({"parameters": list(result.rows), "targets": list(result.target_rows)})
    else:
        write_table(list(result.rows))
        say()
        write_table(list(result.target_rows))
    note(f'Next: put fits = ["{output.name}"] into a study beside the file.')
    if not as_json:
        say(f"Fit: {output}")
