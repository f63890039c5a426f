"""A study as work of a campaign: a member is a world, in which every arm is played with each of its subjects.

Rows of a chunk: arms in the order of the study; in each the worlds in order, in each world the typical subject (number
0), then the others. Measures are in their own units at their own times.
"""

from __future__ import annotations

import shutil
import tempfile
import tomllib
import weakref
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.campaign.plan import Column, Plan, digest_of
from nanotrial.catalogue.lookup import Catalogue, read_toml
from nanotrial.errors import InputError, OutputError
from nanotrial.experiment import FEW_MEMBERS, Player, cohort_of_arm
from nanotrial.fit.overlay import Overlay
from nanotrial.places import BuiltArm, build_arm
from nanotrial.sampling import Draws, joined_parameters
from nanotrial.solve.ensemble import THOROUGH_FROM
from nanotrial.solve.run import Tolerances
from nanotrial.study import Study, load_study, measure_unit, read_study
from nanotrial.units import to_si

if TYPE_CHECKING:
    from numpy.typing import NDArray

STUDY, SHEETS = "study.toml", "catalogue"
KIND = "study"
# Keys that tell and do not compute.
TELLING = {"title", "published", "source", "locator", "note", "conditions"}
ABOUT = (Column("arm", "text"), Column("world", "whole"), Column("subject", "whole"))
STATE = (Column("status", "text"), Column("reason", "text"))


@dataclass(frozen=True)
class StudyWork:
    """A study with its fits, its draws and all that decides its numbers; made by ``make_work``."""

    inputs: Mapping[str, str]
    overlay: Overlay
    draws: Draws
    tolerances: Tolerances | None
    facts: Mapping[str, Any]
    columns: tuple[Column, ...]
    arms: int
    subjects: int

    @property
    def digest(self) -> str:
        """Return what stands for everything that decides the rows."""
        return digest_of(dict(self.facts))

    @property
    def members(self) -> int:
        """Return the number of worlds."""
        return self.draws.worlds

    @property
    def rows(self) -> int:
        """Return the rows of a world: subjects of all arms."""
        return self.arms * (self.subjects + 1)

    @property
    def groups(self) -> int:
        """Return how many groups of rows are kept apart in a chunk: one for each arm."""
        return self.arms

    def play(self, first: int, last: int) -> dict[str, NDArray[Any]]:
        """Return the rows of worlds first to last (exclusive)."""
        stage = _stage(self)
        parts = [stage.rows_of(built, self, first, last) for built in stage.arms]
        stage.forget()
        return {column.name: np.concatenate([p[column.name] for p in parts]) for column in self.columns}


class Stage:
    """A study ready to be played: its arms built once in a process, its integrators kept."""

    def __init__(self, work: StudyWork) -> None:
        """Build the arms; sheets of the study's own are laid out in a folder that goes with the stage."""
        own = {name: text for name, text in work.inputs.items() if name.startswith(f"{SHEETS}/")}
        catalogue = Catalogue()
        if own:
            root = Path(tempfile.mkdtemp(prefix="nanotrial-"))
            weakref.finalize(self, shutil.rmtree, root, ignore_errors=True)
            for name, text in own.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            catalogue = Catalogue(root / SHEETS)
        self.study = read_study(tomllib.loads(work.inputs[STUDY]), Path(STUDY), catalogue)
        self.arms = [build_arm(self.study, arm, work.overlay) for arm in self.study.arms]
        self.times = sorted({t for m in self.study.measures for t in m.times})
        many = work.members * (work.subjects + 1) >= THOROUGH_FROM
        self.player = Player(work.tolerances, many=many)

    def rows_of(self, built: BuiltArm, work: StudyWork, first: int, last: int) -> dict[str, NDArray[Any]]:
        """Return the rows of one arm."""
        each = work.subjects + 1
        count = (last - first) * each
        values, why = cohort_of_arm(self.player, built, self.times, work.draws, work.subjects, first, last)
        reasons = np.array([why.get(i, "") for i in range(count)], dtype=object)
        rows: dict[str, NDArray[Any]] = {
            "arm": np.array([built.name] * count, dtype=object),
            "world": np.repeat(np.arange(first, last), each),
            "subject": np.tile(np.arange(each), last - first),
            "status": np.array(["failed" if reason else "done" for reason in reasons], dtype=object),
            "reason": reasons,
        }
        places = {t: i for i, t in enumerate(self.times)}
        for measure in self.study.measures:
            table = values.get(measure.name)
            at = [places[t] for t in measure.times]
            empty = np.full((count, len(at)), np.nan)
            found = empty if table is None else table[:, :, at].reshape(count, len(at))
            rows[measure.name] = _in_unit(found, measure_unit(measure.name))
        return rows

    def forget(self) -> None:
        """Drop the untreated cells of members that are done: they would add up over a long run."""
        self.player.forget()


_STAGES: dict[str, Stage] = {}


def _stage(work: StudyWork) -> Stage:
    """Return the stage of a study; a process keeps the last one."""
    digest = work.digest
    if digest not in _STAGES:
        _STAGES.clear()
        _STAGES[digest] = Stage(work)
    return _STAGES[digest]


def _in_unit(values: NDArray[np.float64], unit: str) -> NDArray[np.float64]:
    """Return SI values in a unit; not a digit changes where the unit is SI by another name."""
    offset = to_si(0.0, unit)
    factor = to_si(1.0, unit) - offset
    return values if factor == 1.0 and offset == 0.0 else (values - offset) / factor


def make_work(
    study: Study,
    worlds: int,
    subjects: int,
    seed: int,
    design: str,
    tolerances: Tolerances | None = None,
) -> StudyWork:
    """Return a study as work of a campaign.

    Arguments:
        study: read from a file.
        worlds: draws of what is unknown; the members of the campaign.
        subjects: subjects of each arm in each world; 0 for typical ones alone.
        seed: of all draws.
        design: how worlds are spread (``nanotrial.sampling.DESIGNS``).
        tolerances: error control of the solver; by default the usual one of the place.

    Raises:
        InputError: the study is no file, or names a fit that is not beside or below it; wrong numbers.
    """
    inputs = _inputs_of(study)
    catalogue = _WatchedCatalogue(*study.catalogue.folders[:-1])
    again = read_study(tomllib.loads(inputs[STUDY]), study.path, catalogue)
    overlay = Overlay.of_study(again)
    built = [build_arm(again, arm, overlay) for arm in again.arms]
    sheet = catalogue.load("variability", study.place) if subjects else None
    everything = joined_parameters(one.network.parameters for one in built)
    draws = Draws(everything, overlay, sheet, worlds, max(subjects, 1), seed, design, catalogue)
    facts = {
        "kind": KIND,
        "study": digest_of(_computing(tomllib.loads(inputs[STUDY]))),
        "fits": digest_of([sorted((k, repr(v)) for k, v in overlay.values.items()), overlay.draws]),
        "sheets": {k: digest_of(_computing(read_toml(p))) for k, p in sorted(catalogue.seen.items())},
        "worlds": draws.worlds,
        "subjects": subjects,
        "seed": draws.seed,
        "design": design,
        "tolerances": asdict(tolerances) if tolerances else "usual",
        "path": f"CVODES below {FEW_MEMBERS} members of an arm in a chunk, lanes from there on",
    }
    measures = tuple(
        Column(m.name, "number", measure_unit(m.name), tuple(t / 3600.0 for t in m.times)) for m in again.measures
    )
    return StudyWork(inputs, overlay, draws, tolerances, facts, (*ABOUT, *STATE, *measures), len(built), subjects)


def restore_work(folder: Path, plan: Plan) -> StudyWork:
    """Return the work of a folder from the study that it holds.

    Raises:
        OutputError: the folder was made from something else than a study.
    """
    facts = plan.facts
    if facts.get("kind") != KIND:
        action = "Resume it where it was made: nanotrial.campaign.resume(folder, work)."
        raise OutputError(f"{folder} was not made from a study. {action}")
    tolerances = None if facts["tolerances"] == "usual" else Tolerances(**facts["tolerances"])
    names = ("worlds", "subjects", "seed", "design")
    return make_work(load_study(folder / STUDY), **{name: facts[name] for name in names}, tolerances=tolerances)


class _WatchedCatalogue(Catalogue):
    """A catalogue that remembers which sheets were asked for."""

    def __init__(self, *folders: Path) -> None:
        super().__init__(*folders)
        self.seen: dict[str, Path] = {}

    def path(self, kind: str, identifier: str, where: str = "catalogue") -> Path:
        """Return the file of a sheet, and remember it."""
        found = super().path(kind, identifier, where)
        self.seen[f"{kind}/{identifier}"] = found
        return found


def _inputs_of(study: Study) -> dict[str, str]:
    """Return the texts from which the study can be read again, by their names in the folder of a run."""
    if not study.text:
        raise InputError(f"{study.path.name}", "a study without a file", "a study read from a file")
    inputs = {STUDY: study.text}
    for folder in reversed(study.catalogue.folders[:-1]):
        for path in sorted(p for p in folder.rglob("*") if p.suffix in (".toml", ".bib")):
            inputs[f"{SHEETS}/{path.relative_to(folder).as_posix()}"] = path.read_text(encoding="utf-8-sig")
    for name in study.fits:
        file = study.path.parent / name
        if name.endswith(".toml") and file.is_file():
            pure = PurePosixPath(Path(name).as_posix())
            if pure.is_absolute() or ".." in pure.parts or name in inputs:
                raise InputError(f"{study.path.name}: fits", f"`{name}`", "a file beside or below the study")
            inputs[name] = file.read_text(encoding="utf-8-sig")
    return inputs


def _computing(table: Any) -> Any:
    """Return a table of TOML without what only tells."""
    if isinstance(table, dict):
        return {k: _computing(v) for k, v in table.items() if k not in TELLING}
    return [_computing(v) for v in table] if isinstance(table, list) else table
