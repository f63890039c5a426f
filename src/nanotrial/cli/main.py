"""The command `nanotrial`: puts the commands together. Importing this is cheap: heavy things load when used."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from nanotrial import __version__
from nanotrial.cli import (
    catalogue,
    check,
    evidence,
    explain,
    export,
    fit,
    loop,
    new,
    power,
    report,
    resume,
    run,
    sensitivity,
)
from nanotrial.cli.guard import INTERRUPTED, guarded

HELP = """Virtual experiments for tumour nanomedicine.

Describe a particle, a subject and a protocol in a small TOML file; nanotrial plays the experiment, with uncertainty and
the source of every number. Research software, not a medical device.

Start: `nanotrial new study.toml`, then `nanotrial check study.toml` and `nanotrial run study.toml`.
"""
OPTIONS = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=OPTIONS,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nanotrial {__version__}")
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Take the options that come before a command."""


COMMANDS: dict[str, Callable[..., int | None]] = {
    "new": new.new_study,
    "check": check.check_study,
    "explain": explain.explain_study,
    "loop": loop.examine_loop,
    "run": run.run_study,
    "resume": resume.resume_run,
    "report": report.write_again,
    "cite": report.cite_run,
    "export": export.export_study,
    "list": catalogue.list_sheets,
    "show": catalogue.show_sheet,
    "fit": fit.fit_parameters,
    "sensitivity": sensitivity.examine_sensitivity,
    "power": power.examine_power,
}
for name, command in COMMANDS.items():
    app.command(name)(guarded(command))
app.add_typer(evidence.app, name="evidence")


def main() -> None:
    """Run the command line and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without the signs of units shows a question mark
    try:
        app(prog_name="nanotrial")
    except SystemExit as leaving:
        if leaving.code == INTERRUPTED:
            # Python may otherwise kill itself with the signal it remembers, and the exit code would be another.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(INTERRUPTED)
        raise


if __name__ == "__main__":
    main()
