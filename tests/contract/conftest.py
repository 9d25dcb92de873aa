"""The published descriptions of both protocols, fetched once."""

from pathlib import Path

import pytest

from tests.contract import commons
from tests.contract.openapi import Description


@pytest.fixture(scope="session")
def packages(pytestconfig) -> Path:
    return pytestconfig.cache.mkdir("reana-commons")


@pytest.fixture(scope="session")
def released(packages) -> Path:
    return commons.unpacked(commons.RELEASED, packages)


@pytest.fixture(scope="session")
def coming(packages) -> Path:
    return commons.unpacked(commons.NEXT, packages)


@pytest.fixture(scope="session")
def describe(request):
    """A protocol's description; skips where the index is absent."""

    def described(protocol: str) -> Description:
        package = request.getfixturevalue("released" if protocol == "released" else "coming")
        return Description(commons.openapi(package))

    return described
