# SPDX-License-Identifier: GPL-3.0-or-later
"""Each story has a cluster of its own; all that are asked for are told at the same time, and their tests look at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from integration.lab import Lab

from .bastion import Bastion, through_bastion
from .stories import Story, killed_controller, killed_worker
from .tokens import Tokens, dying_tokens

STORIES: dict[str, Callable[..., Any]] = {
    "worker_story": killed_worker,
    "controller_story": killed_controller,
    "token_story": dying_tokens,
    "bastion_story": through_bastion,
}


@pytest.fixture(scope="package")
def stories(lab: Lab, request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Any]]]:
    """Those that the chosen tests need. Their clusters begin and end with them."""
    wanted = [name for name in STORIES if any(name in getattr(item, "fixturenames", ()) for item in request.session.items)]
    lab.end_clusters()
    clusters = lab.clusters(*(name.partition("_")[0] for name in wanted))
    with ThreadPoolExecutor(len(wanted)) as pool:
        yield {name: pool.submit(STORIES[name], lab, cluster) for name, cluster in zip(wanted, clusters, strict=True)}
    lab.end_clusters()


@pytest.fixture(scope="package")
def worker_story(stories: dict[str, Future[Any]]) -> Story:
    """A worker killed with -9, twice."""
    return stories["worker_story"].result()  # type: ignore[no-any-return]


@pytest.fixture(scope="package")
def controller_story(stories: dict[str, Future[Any]]) -> Story:
    """A controller killed with -9, then ended by SIGTERM, then by SIGINT."""
    return stories["controller_story"].result()  # type: ignore[no-any-return]


@pytest.fixture(scope="package")
def token_story(stories: dict[str, Future[Any]]) -> Tokens:
    """A climb with tokens that die on the way."""
    return stories["token_story"].result()  # type: ignore[no-any-return]


@pytest.fixture(scope="package")
def bastion_story(stories: dict[str, Future[Any]]) -> Bastion:
    """A cluster behind a bastion, also asked from the controller."""
    return stories["bastion_story"].result()  # type: ignore[no-any-return]
