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


DISH = """\
# A nanotrial study. Every number carries its unit. `nanotrial check {file}` shows what a run fills in by itself.
title = "{title} on {line}"
place = "dish"

# One table per particle; its name is yours. What there is: `nanotrial list materials`, `nanotrial list coatings`.
[particle.coated]
core     = "{material}"
diameter = "20 nm"             # of the core
coating  = [{{ material = "{coating}", mass_fraction = 0.2 }}]

# The cells; medium, well, seeding, serum, oxygen and more are what `nanotrial check` lists unless they stand here.
[subject]
cells = "{cells}"              # `nanotrial list cells`

# `vary` makes one arm of every combination; "{{key}}" stands for the value. The basis says what a concentration counts.
[[arm]]
name = "particles {{dose}}"
vary = {{ dose = ["0.1 mmol/L", "1 mmol/L"] }}
add  = [{{ particle = "coated", concentration = "{{dose}}", basis = "{basis}", at = "0 h" }}]

# The same with an agent; `nanotrial list agents`.
[[arm]]
name = "particles 1 mmol/L + catalase"
add  = [
    {{ particle = "coated", concentration = "1 mmol/L", basis = "{basis}", at = "0 h" }},
    {{ agent = "catalase", concentration = "300 U/mL", at = "0 h" }},
]

[[arm]]
name    = "particles 1 mmol/L, hypoxia"
subject = {{ oxygen = "1 %" }}
add     = [{{ particle = "coated", concentration = "1 mmol/L", basis = "{basis}", at = "0 h" }}]

# What to read out, and when.
[measure]
viability            = {{ every = "2 h", until = "24 h" }}
calcium_fluorescence = {{ every = "80 s", until = "22 min" }}
ros_fluorescence     = {{ every = "80 s", until = "22 min" }}
atp                  = {{ every = "2 h", until = "24 h" }}
"""


def new_study(
    file: Annotated[Path, typer.Argument(help="File to write; an existing one is never overwritten.")],
    material: Annotated[str, typer.Option(help="Core material; see `nanotrial list materials`.")] = "calcium_peroxide",
    cells: Annotated[str, typer.Option(help="Cell line: a study in a dish; see `nanotrial list cells`.")] = "",
) -> None:
    """Write a starter study with comments, in a tube or on cells."""
    from nanotrial.errors import OutputError

    text = dish_starter(file, material, cells) if cells else starter(file, material)
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
    say(f"Wrote {file}: {material} {f'on {cells}, four arms' if cells else 'in buffer, five arms'}.")
    say("Next:")
    say(f"  nanotrial check {file}      # what it says, and every default a run would use")
    say(f"  nanotrial explain {file}    # species, processes, parameters, budgets")
    say(f"  nanotrial run {file}        # curves and a report")


def dish_starter(file: Path, material: str, cells: str) -> str:
    """Return the text of a starter study of a material on cells of a line."""
    from nanotrial.catalogue.lookup import Catalogue

    catalogue = Catalogue()
    sheet = catalogue.load("materials", material, "--material")
    return DISH.format(
        file=file.name,
        title=sheet.name.capitalize(),
        line=catalogue.load("cells", cells, "--cells").name,
        cells=cells,
        material=material,
        coating=catalogue.ids("coatings")[0],
        basis=next(iter(sheet.metals), "core"),
    )


def starter(file: Path, material: str) -> str:
    """Return the text of a starter study for a material of the catalogue."""
    from nanotrial.catalogue.lookup import Catalogue

    catalogue = Catalogue()
    sheet = catalogue.load("materials", material, "--material")
    products = list(sheet.products)
    basis = next(iter(sheet.metals), "core")
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
