# SPDX-License-Identifier: GPL-3.0-or-later
"""`make chaos`: the whole matrix. Its last line says what came of it; the exit code is 1 when a case is unsafe or a request was lost.

    python -m chaos --clusters 3
    python -m chaos --forms B,C       # WG as Flux keeps it
    python -m chaos --part 2/5        # the second of five parts, for machines beside each other
    python -m chaos --together part*.json        # what the parts have left in --dir, as one

`--journeys parked,rolled_back` makes only those; `--others` names the cases beside the matrix; `--dir` is where bed, runs and
results lie. The whole matrix of a form, at once or put together, is also written to the page named with `--page`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

from . import beside, page, result, table
from .field import Field
from .forms import FORMS, Form, named
from .matrix import JOURNEYS
from .result import Result

CLUSTERS = 3
"""What keeps two cores busy."""


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", type=Path, default=Path("build/chaos"))
    parser.add_argument("--forms", default=",".join(FORMS), help="the forms of WG, as letters: A,B,C,D")
    parser.add_argument("--clusters", type=int, default=CLUSTERS)
    parser.add_argument("--part", default="1/1", metavar="N/OF", help="of the journeys only a part; an odd number of parts mixes best")
    parser.add_argument("--journeys", default=",".join(JOURNEYS))
    parser.add_argument("--only", default="", metavar="WORDS", help="of the writes those with these words in their description")
    parser.add_argument("--others", default=beside.EVERYTHING, help="all, none, or names of the cases beside the matrix")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no further case after so long")
    parser.add_argument("--together", type=Path, nargs="+", metavar="FILE", help="try nothing, and put these results together")
    parser.add_argument("--page", type=Path, metavar="FILE", help="the page with the table of the whole matrix")
    parser.add_argument("--anyway", action="store_true", help="write the page although points are missing; it says so")
    options = parser.parse_args()
    found = result.together([result.read(path) for path in options.together]) if options.together else _tried(options)
    found.write(options.dir / "result.json")
    table.write(options.dir / "matrix.md", found)
    for form in FORMS.values():
        if options.page and (found.whole(form.letter) or (options.anyway and any(case.form == form.letter for case in found.cases))):
            page.write(options.page, found, form.letter)
    print("\n".join(["", *found.notes, f"{found.seconds:.0f} s in all; the table is {options.dir / 'matrix.md'}"]))
    print(table.last_line(found))
    return 0 if found.safe else 1


def _tried(options: argparse.Namespace) -> Result:
    shutil.rmtree(options.dir / "lab", ignore_errors=True)
    deadline = time.monotonic() + options.seconds
    return result.together([_tried_on(form, options, deadline) for form in named(options.forms)])


def _tried_on(form: Form, options: argparse.Namespace, deadline: float) -> Result:
    started = time.monotonic()
    folder = options.dir / "lab" / form.letter
    folder.mkdir(parents=True)
    journeys = tuple(name for name in options.journeys.split(",") if name)
    part, of = (int(word) for word in options.part.split("/"))
    with Field(folder, options.clusters, form=form) as field:
        field.matrix(journeys, of, part - 1, deadline, options.only)
        field.others(options.others, deadline)
        found = field.result()
    found.seconds = round(time.monotonic() - started)
    ended = not field.left and time.monotonic() < deadline
    found.parts = [f"{form.letter} {options.part}"] if ended and set(journeys) == set(JOURNEYS) and not options.only else []
    found.others = list(beside.chosen(options.others)) if ended and form.with_others else []
    return found


if __name__ == "__main__":
    sys.exit(main())
