"""Draw docs/images/release.png: the release panel of the example study at 1 mmol/L, with bands and reported points."""

import dataclasses
from pathlib import Path

from nanotrial.evidence.published import published_points
from nanotrial.experiment import simulate
from nanotrial.record import make_record
from nanotrial.report.charts import chart_png, charts
from nanotrial.study import load_study

ROOT = Path(__file__).parent


def main() -> None:
    """Play the arms at 1 mmol/L with 100 members and write the picture."""
    whole = load_study(ROOT.parent / "examples" / "calcium_peroxide_release.toml")
    arms = tuple(a for a in whole.arms if a.name.endswith("1 mmol/L"))
    study = dataclasses.replace(whole, arms=arms)
    record = make_record(simulate(study, members=100, seed=1))
    record["published"] = published_points(study)
    release = next(c for c in charts(record) if "elease" in c.title)
    (ROOT / "images" / "release.png").write_bytes(chart_png(release))
    print("docs/images/release.png written")


if __name__ == "__main__":
    main()
