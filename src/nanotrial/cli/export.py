"""`nanotrial export`: arms for other programs, as SBML or as a whole experiment in an OMEX archive."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanotrial.cli.output import note, progress_bar, say

if TYPE_CHECKING:
    from nanotrial.study import Arm, Study


def export_study(
    study: Annotated[Path, typer.Argument(help="Study file (TOML).")],
    sbml: Annotated[Path | None, typer.Option(help="Write one arm to this new SBML file.")] = None,
    omex: Annotated[Path | None, typer.Option(help="Write all arms to this new OMEX archive, with SED-ML.")] = None,
    arm: Annotated[str, typer.Option(help="Arm to write as SBML; needed where the study has several.")] = "",
    flat: Annotated[
        bool, typer.Option(help="For simulators that write rules out where they are read, such as libRoadRunner.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Write arms for other programs: SBML of one arm, or an archive with the whole experiment."""
    from nanotrial.errors import InputError
    from nanotrial.study import load_study

    if (sbml is None) == (omex is None):
        raise InputError("nanotrial export", "both or neither", "either --sbml FILE or --omex FILE")
    loaded = load_study(study)
    if sbml is not None:
        chosen = _chosen(loaded, arm)
        _refuse_existing(sbml)
        _write_sbml(loaded, chosen, sbml, flat)
        say(f"Wrote {sbml}: arm `{chosen.name}`, SBML Level 3 Version 2.")
    elif omex is not None:
        if arm:
            raise InputError("nanotrial export", "--arm with --omex", "--omex alone", "An archive holds all arms.")
        _refuse_existing(omex)
        _write_omex(loaded, omex, flat, quiet)
        say(f"Wrote {omex}: {len(loaded.arms)} arms in SBML, what to run and to plot in SED-ML.")
    if not quiet:
        note("Next: open it in a program that reads SBML or OMEX (COPASI, Tellurium, run.biosimulations.org).")


def _chosen(study: Study, name: str) -> Arm:
    from nanotrial.errors import InputError

    if name:
        return study.arm(name)
    if len(study.arms) > 1:
        names = ", ".join(f"`{a.name}`" for a in study.arms)
        raise InputError("nanotrial export", f"{len(study.arms)} arms", "one named with --arm", f"Arms: {names}.")
    return study.arms[0]


def _refuse_existing(path: Path) -> None:
    from nanotrial.errors import OutputError

    if path.exists() or path.is_symlink():
        raise OutputError(f"{path} exists already and is never overwritten. Choose another name.")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path.parent} is no folder. Make it first, or choose another place.")


def _write_sbml(study: Study, arm: Arm, path: Path, flat: bool) -> None:
    from nanotrial.cli.files import write_new
    from nanotrial.exchange.arm import write_arm
    from nanotrial.exchange.validity import refuse_faulty
    from nanotrial.experiment import Player
    from nanotrial.fit.overlay import Overlay
    from nanotrial.places import build_arm

    model = write_arm(study, build_arm(study, arm, Overlay.of_study(study)), Player(), flat)
    refuse_faulty(model.text, f"arm `{arm.name}`")
    write_new(path, model.text)


def _write_omex(study: Study, path: Path, flat: bool, quiet: bool) -> None:
    from nanotrial.exchange.archive import write_archive
    from nanotrial.fit.overlay import Overlay
    from nanotrial.places import build_arm

    fits = Overlay.of_study(study)
    built = [build_arm(study, one, fits) for one in study.arms]
    with progress_bar(len(built), "arm", quiet) as begin:
        packed = write_archive(study, built, flat, begin)
    _write_bytes(path, packed)


def _write_bytes(path: Path, content: bytes) -> None:
    """Write a new file through a hidden neighbour, so that an interruption leaves nothing behind."""
    from nanotrial.errors import OutputError

    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
    work = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        work.chmod(0o644)
        work.replace(path)
    except OSError as error:
        raise OutputError(f"{path} could not be written: {error.strerror or error}. Nothing was kept.") from error
    finally:
        work.unlink(missing_ok=True)
