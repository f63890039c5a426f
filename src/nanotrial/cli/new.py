"""`nanotrial new`: a starter study with comments, ready to run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanotrial.cli.output import say

TEMPLATE = """\
# A nanotrial study. Every number carries its unit. `nanotrial check {file}` shows what a run fills in by itself.
title = "{title} in buffer"
place = "tube"

# One table per particle; its name is yours. What there is: `nanotrial list materials`, `nanotrial list coatings`.
[particle.bare]
core     = "{material}"
diameter = "20 nm"             # of the core; geometric_sd = 1.3 beside it gives a spread of sizes

[particle.coated]
core     = "{material}"
diameter = "20 nm"
coating  = [{{ material = "{coating}", mass_fraction = 0.2 }}]

# What the particles are put into; an arm may change single keys.
[subject]
buffer        = "acetate"      # `nanotrial list buffers`
concentration = "20 mmol/L"
ph            = 5.5
temperature   = "37 degC"

# `vary` makes one arm of every combination; "{{key}}" stands for the value.
[[arm]]
name    = "{{particle}} pH {{ph}}"
vary    = {{ particle = ["bare", "coated"], ph = [5.0, 5.5] }}
subject = {{ ph = "{{ph}}" }}
add     = [{{ particle = "{{particle}}", concentration = "0.5 mmol/L", basis = "{basis}", at = "0 h" }}]

# The control that shows what the buffer does alone.
[[arm]]
name = "no particles"

# What to read out, and when.
[measure]
{measures}"""


def new_study(
    file: Annotated[Path, typer.Argument(help="File to write; an existing one is never overwritten.")],
    material: Annotated[str, typer.Option(help="Core material; see `nanotrial list materials`.")] = "calcium_peroxide",
) -> None:
    """Write a starter study with comments."""
    from nanotrial.errors import OutputError

    text = starter(file, material)
    if file.exists() or file.is_symlink():
        raise OutputError(f"{file} exists already and is never overwritten. Choose another name.")
    if not file.parent.is_dir():
        raise OutputError(f"{file.parent} is no folder. Make it first, or choose another place.")
    made = False
    try:
        with file.open("x", encoding="utf-8") as stream:
            made = True
            stream.write(text)
    except BaseException:
        if made:
            file.unlink(missing_ok=True)
        raise
    say(f"Wrote {file}: {material} in buffer, five arms.")
    say("Next:")
    say(f"  nanotrial check {file}      # what it says, and every default a run would use")
    say(f"  nanotrial explain {file}    # species, processes, parameters, budgets")
    say(f"  nanotrial run {file}        # curves and a report")


def starter(file: Path, material: str) -> str:
    """Return the text of a starter study for a material of the catalogue."""
    from nanotrial.catalogue.lookup import Catalogue

    catalogue = Catalogue()
    sheet = catalogue.load("materials", material, "--material")
    products = list(sheet.dissolution.products)
    basis = next(iter(sheet.dissolution.metals), "core")
    names = ["release", "ph", *products]
    measures = "\n".join(f'{n} = {{ every = "30 min", until = "12 h" }}' for n in dict.fromkeys(names)) + "\n"
    return TEMPLATE.format(
        file=file.name,
        title=sheet.name.capitalize(),
        material=material,
        coating=catalogue.ids("coatings")[0],
        basis=basis,
        measures=measures,
    )
