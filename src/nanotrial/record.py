"""What a run leaves behind: a plain record (JSON), curves (NetCDF), citations, and the study itself.

A folder is written under a hidden name and renamed when whole, so that nothing half-written looks like a result.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial import __version__
from nanotrial.catalogue.lookup import references, table_sources, values_in
from nanotrial.errors import NanotrialError, OutputError
from nanotrial.study import Subject, measure_unit, shown_amount
from nanotrial.study.minerals import shown_fluid, shown_surface
from nanotrial.units import difference_from_si, display, from_si

if TYPE_CHECKING:
    from nanotrial.experiment import ArmResult, ArmStatistics, Comparison, MeasureSummary, StudyResult
    from nanotrial.study import Arm, Irradiation, Measure, Study
    from nanotrial.values import Value

Record = dict[str, Any]
PACKAGES = ("casadi", "llvmlite", "numba", "numpy", "scipy", "xarray", "pint", "altair", "vl-convert-python")
FORMAT = 2


def make_record(result: StudyResult) -> Record:
    """Return the plain record of a result: numbers, texts, lists and dictionaries only."""
    study = result.study
    measures = {
        m.name: {
            "unit": measure_unit(m.name),
            "assay": m.assay,
            "probe": m.probe,
            "detection_limit": _detection_limit(study, m),
            "time_h": [t / 3600.0 for t in m.times],
        }
        for m in study.measures
    }
    particles = {name: _particle(study, name) for name in study.particles}
    sources = {str(p["source"]) for p in result.parameters} | {d.source for d in study.defaults}
    known = study.catalogue.references()
    sources |= _beam_sources(study)
    sources |= {p["described"]["source"] for p in particles.values() if p["described"]}
    return {
        "format": FORMAT,
        "title": study.title,
        "place": study.place,
        "study_file": study.path.name,
        "study_sha256": hashlib.sha256(study.text.encode()).hexdigest(),
        "nanotrial": __version__,
        "versions": _versions(),
        "seed": result.seed,
        "members": result.members,
        "subjects": result.subjects,
        "subject_word": study.cohort.word if study.cohort else "subjects",
        "way": result.way,
        "comparisons": [_comparison(c) for c in result.comparisons],
        "band": [0.05, 0.95],
        "warnings": [{"key": d.key, "text": d.reason} for d in study.warnings],
        "fits": list(result.overlay.names),
        "fitted_to": sorted(result.overlay.facts),
        "measures": measures,
        "defaults": [{"key": d.key, "value": d.value, "reason": d.reason, "source": d.source} for d in study.defaults],
        "particles": particles,
        "arms": [_arm(study, a, r, result) for a, r in zip(study.arms, result.arms, strict=True)],
        "parameters": list(result.parameters),
        "citations": sorted(s for s in sources if s in known),
        "bibliography": {s: known[s] for s in sorted(sources) if s in known},
    }


def _detection_limit(study: Study, measure: Measure) -> float | None:
    """Return the detection limit of the assay of a measure (mmol/L), if it has one."""
    if not measure.assay:
        return None
    limit: Value = study.catalogue.load("assays", measure.assay).detection_limit
    return limit.si


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _particle(study: Study, name: str) -> Record:
    p = study.particles[name]
    material = study.catalogue.load("materials", p.core)
    described = {}
    for coat in p.coating:
        sheet = study.catalogue.load("coatings", coat.material)
        if sheet.described is not None:
            described = {
                "zeta_shift": str(sheet.described.zeta_shift),
                "source": sheet.described.zeta_shift.source,
                "hydrodynamic_note": sheet.described.hydrodynamic_note,
            }
    return {
        "core": material.name,
        "formula": material.formula,
        "diameter": display(p.diameter, "nm", 4),
        "geometric_sd": p.geometric_sd,
        "coating": [
            {
                "material": c.material,
                "amount": f"mass fraction {c.mass_fraction:g}"
                if c.mass_fraction
                else display(c.thickness or 0, "nm", 3),
            }
            for c in p.coating
        ],
        "described": described,
        "dopants": p.dopants,
    }


def _arm(study: Study, arm: Arm, result: ArmResult, whole: StudyResult) -> Record:
    given = [
        {
            "what": a.name,
            "name": a.name if a.kind == "particle" else study.catalogue.load(f"{a.kind}s", a.name).name,
            "kind": a.kind,
            "at_h": a.time / 3600.0,
            "amount": shown_amount(a),
            "number": a.amount,
        }
        for a in arm.additions
    ]
    particles = [a.name for a in arm.additions if a.kind == "particle"]
    curves: dict[str, Record] = {}
    for measure in study.measures:
        unit = measure_unit(measure.name)
        row: Record = {"value": _list(result.curves[measure.name], unit)}
        if measure.name in result.summaries:
            row |= _summary(result.summaries[measure.name], unit)
        if measure.name in result.readings:
            reading = result.readings[measure.name]
            row |= {
                "reading": _list(reading.concentration),
                "reading_sd": _number(reading.sd),
                "flag": reading.flag.tolist(),
            }
        curves[measure.name] = row
    return {
        "name": arm.name,
        "status": result.status,
        "reason": result.reason,
        "particles": particles,
        **_subject(study, arm),
        "additions": given,
        "removals": [{"what": r.what, "fraction": r.fraction, "at_h": r.time / 3600.0} for r in arm.removals],
        "irradiations": [_irradiation(one) for one in arm.irradiations],
        "curves": curves,
        "members_done": whole.members * (whole.subjects + 1) - result.members_failed if result.summaries else 0,
        "members_all": whole.members * (whole.subjects + 1) if result.summaries else 0,
        "member_reasons": list(result.member_reasons),
        "imbalance": {k: _number(v) for k, v in result.imbalance.items()},
        "protons": {k: _number(v) for k, v in result.protons.items()},
        "budgets": [
            {
                "name": b.name,
                "value": _number(b.value),
                "unit": b.unit,
                "against": _number(b.against),
                "meaning": b.meaning,
                "binds": b.binds,
            }
            for b in result.budgets
        ],
        "mechanisms": list(result.mechanisms),
        "states": result.states,
    }


def _beam_sources(study: Study) -> set[str]:
    """Return what the beams of a study rest on: their sheets, and those of the nuclides in them."""
    found: set[str] = set()
    names = {i.beam for arm in study.arms for i in arm.irradiations} & set(study.catalogue.ids("beams"))
    for name in names:
        sheet = study.catalogue.load("beams", name)
        nuclide = [study.catalogue.load("nuclides", sheet.nuclide)] if sheet.nuclide else []
        for one in (sheet, *nuclide):
            found |= table_sources(one) | {value.source for _, value in values_in(one)}
    return found


def _irradiation(one: Irradiation) -> Record:
    return {
        "beam": one.beam,
        "filters": {name: display(thickness, "mm") for name, thickness in one.filters},
        "absorbed_dose_gy": one.absorbed_dose,
        "dose_rate": display(one.dose_rate, "Gy/min"),
        "at_h": one.time / 3600.0,
    }


def _summary(found: MeasureSummary, unit: str) -> Record:
    """Return bands and, with subjects, the spread between readings and where it comes from."""
    row: Record = {"low": _list(found.low, unit), "high": _list(found.high, unit)}
    if found.subjects:
        row |= {
            "mean_low": _list(found.mean_low, unit),
            "mean_high": _list(found.mean_high, unit),
            "sd": [_number(difference_from_si(float(v), unit)) for v in found.sd],
            "share_unknown": _list(found.unknown),
            "share_between": _list(found.between),
            "share_noise": _list(found.noise),
        }
    return row


def _comparison(found: Comparison) -> Record:
    """Return the statistics of a measure as plain numbers in its unit."""
    unit = measure_unit(found.measure)

    def row(one: ArmStatistics) -> Record:
        spread = {k: _number(difference_from_si(getattr(one, k), unit)) for k in ("sd", "sem", "difference")}
        shares = {k: _number(getattr(one, k)) for k in ("p", "power", "power_low", "power_high")}
        return {
            "arm": one.arm,
            "n": one.n,
            "failed": one.failed,
            "mean": _list([one.mean], unit)[0],
            **spread,
            **shares,
        }

    return {
        "measure": found.measure,
        "unit": unit,
        "time_h": found.time / 3600.0,
        "control": found.control,
        "alpha": found.alpha,
        "worlds": found.worlds,
        "p_of_all": _number(found.p_of_all),
        "arms": [row(a) for a in found.arms],
    }


def _subject(study: Study, arm: Arm) -> Record:
    """Return what an arm's particles are put into; a dish adds cells, medium and gas."""
    s = arm.subject
    about: Record = {"ph": s.ph, "temperature": display(s.temperature, "degC", 4)}
    if isinstance(s, Subject):
        about |= {"buffer": s.buffer or shown_fluid(s), "buffer_concentration_mmol_per_l": s.concentration or None}
        return about | ({"surface": shown_surface(s.surface)} if s.surface is not None else {})
    line = study.catalogue.load("cells", s.cells)
    return about | {
        "buffer": s.medium,
        "buffer_concentration_mmol_per_l": None,
        "cells": s.cells,
        "cells_name": line.name,
        "cells_origin": line.origin,
        "medium": study.catalogue.load("media", s.medium).name,
        "serum": s.serum,
        "well": study.catalogue.load("wells", s.well).name,
        "seeding_density": display(s.seeding_density, "1/cm^2", 4),
        "volume": display(s.volume, "uL", 4),
        "oxygen": s.oxygen,
        "carbon_dioxide": s.carbon_dioxide,
        "cell_classes": s.cell_classes,
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _list(values: Any, unit: str = "mmol/L") -> list[float | None]:
    """Return SI values in a unit; what is not finite becomes None."""
    if unit in ("1", "mmol/L"):  # SI by another name: not a digit is to change
        return [_number(float(v)) for v in np.asarray(values)]
    return [_number(from_si(float(v), unit)) for v in np.asarray(values)]


def to_dataset(record: Record) -> Any:
    """Return an xarray Dataset of all curves: dimensions arm and time_<measure> (h), with units as attributes."""
    import xarray as xr

    names = [a["name"] for a in record["arms"]]
    data: dict[str, Any] = {}
    coords: dict[str, Any] = {"arm": names}
    for measure, about in record["measures"].items():
        dimension = f"time_{measure}"
        coords[dimension] = ("time_" + measure, about["time_h"], {"units": "h"})
        for part in ("value", "low", "high", "mean_low", "mean_high", "sd", "reading"):
            rows = [a["curves"][measure].get(part) for a in record["arms"]]
            if all(r is None for r in rows):
                continue
            empty = [math.nan] * len(about["time_h"])
            table = [[math.nan if v is None else v for v in r] if r else empty for r in rows]
            label = measure if part == "value" else f"{measure}_{part}"
            data[label] = (("arm", dimension), np.array(table), {"units": about["unit"]})
    data["status"] = (("arm",), [a["status"] for a in record["arms"]], {})
    data["reason"] = (("arm",), [a["reason"] for a in record["arms"]], {})
    attributes = {"title": record["title"], "nanotrial": record["nanotrial"], "seed": record["seed"]}
    return xr.Dataset(data, coords, attributes)


@contextlib.contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Give a hidden folder that becomes ``target`` when the block ends well, and vanishes when it does not.

    Raises:
        OutputError: the target exists, or the disk refuses (full, read-only, no permission).
    """
    if target.exists():
        raise OutputError(f"{target} exists already; a run folder is never overwritten. Choose another with -o.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise OutputError(f"{target} cannot be made: {_reason(error)}. Choose another place with -o.") from error
    try:
        yield work
        os.chmod(work, 0o755)
        os.rename(work, target)
    except OSError as error:
        raise OutputError(f"{target} could not be written: {_reason(error)}. Nothing was kept.") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _reason(error: OSError) -> str:
    """Return why the system refused, in one line; HDF5 puts many into its errors."""
    return os.strerror(error.errno) if error.errno else str(error).partition("\n")[0]


def write_run(result: StudyResult, folder: Path, record: Record | None = None) -> None:
    """Write record, curves, citations and study into an existing folder."""
    made = record or make_record(result)
    (folder / "study.toml").write_text(result.study.text, encoding="utf-8")
    (folder / "record.json").write_text(json.dumps(made, indent=1), encoding="utf-8")
    (folder / "citations.bib").write_text(bibliography(made["citations"], made["bibliography"]), encoding="utf-8")
    curves = to_dataset(made)
    # HDF5 that meets a full disk complains once for every open object, so the room is asked for beforehand.
    (folder / "results.nc").write_bytes(bytes(2 * curves.nbytes + 65_536))
    curves.to_netcdf(folder / "results.nc", engine="h5netcdf")


def read_run(folder: Path) -> Record:
    """Return the record of a run folder.

    Raises:
        OutputError: no record there, or one that cannot be read.
    """
    path = folder / "record.json"
    if (folder / "plan.json").is_file() and not path.exists():
        raise OutputError(f"{folder} is a run that is not finished. Complete it with: nanotrial resume {folder}")
    try:
        record: Record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(f"{path} holds no run ({error}). Give a folder made by `nanotrial run`.") from error
    found = record.get("format") if isinstance(record, dict) else None
    if found != FORMAT:
        raise OutputError(f"{path} has format {found}, this nanotrial reads {FORMAT}. Run the study again.")
    return record


def bibliography(keys: list[str], known: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """Return BibTeX entries for keys.

    Arguments:
        keys: keys in order.
        known: entries by key, as a record holds them; those of the package by default.
    """
    entries = references() if known is None else known
    missing = [k for k in keys if k not in entries]
    if missing:
        raise NanotrialError(f"references.bib has no {', '.join(missing)}")
    return "\n\n".join(entries[k]["raw"] for k in keys) + "\n"
