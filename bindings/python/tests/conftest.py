"""Tests may run on any device: `pytest --device opencl:0` computes with arrays on the host there, unless a test names the engine."""

import pytest

import khufu


def pytest_addoption(parser):
    parser.addoption("--device", default="cpu", help="where arrays on the host are computed with, such as opencl:0")


def pytest_configure(config):
    config.addinivalue_line("markers", "forks: processes are forked, which devices do not survive")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--device") != "cpu":
        for item in items:
            if item.get_closest_marker("forks"):
                item.add_marker(pytest.mark.skip(reason="a device is not used in a forked process"))


@pytest.fixture(autouse=True, scope="session")
def _device(request):
    khufu.set_default_device(request.config.getoption("--device"))
    yield
    khufu.set_default_device(None)
