# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines on the terminal in Ansible's own colours, where Ansible itself would use colour. PRIVATE: can change at any time."""

from __future__ import annotations

from collections.abc import Callable

from ansible import constants
from ansible.utils import color
from ansible.utils.display import Display

Paint = Callable[[str, str], str]

_COLOURS = {
    "block": constants.COLOR_ERROR,
    "blocked": constants.COLOR_ERROR,
    "error": constants.COLOR_ERROR,
    "unreachable": constants.COLOR_UNREACHABLE,
    "warn": constants.COLOR_WARN,
    "waived": constants.COLOR_WARN,
    "skip": constants.COLOR_SKIP,
    "pass": constants.COLOR_OK,
}


def show(lines: Callable[[Paint], list[str]]) -> None:
    """Print lines in one piece, so that those of other workers do not come between. A log file gets them without colour."""
    plain = "\n".join(lines(_unpainted))
    if not plain:
        return
    if not color.ANSIBLE_COLOR:
        Display().display(plain)
        return
    Display().display("\n".join(lines(_painted)), screen_only=True)
    Display().display(plain, log_only=True)


def _painted(text: str, tone: str) -> str:
    return str(color.stringc(text, _COLOURS[tone])) if tone in _COLOURS else text


def _unpainted(text: str, _tone: str) -> str:
    return text
