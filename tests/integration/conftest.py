# SPDX-License-Identifier: GPL-3.0-or-later
"""One bed for the whole session; tests take their clusters from it by name.

`lab.cluster("c7")` begins one that is missing. Names c1 to c6 belong to the fleet of story.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.lab import Lab
from integration.story import Story, tell


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The bed and the ways to use it; all that was started ends with the session."""
    found = Lab(tmp_path_factory.mktemp("lab"))
    yield found
    found.close()


@pytest.fixture(scope="session")
def story(lab: Lab) -> Story:
    """The fleet, and the runs that most tests look at."""
    return tell(lab)
