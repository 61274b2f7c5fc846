"""Tests may run on any device: `pytest --device opencl:0` computes with arrays on the host there, unless a test names the engine."""

import pytest

import khufu


def pytest_addoption(parser):
    parser.addoption("--device", default="cpu", help="where arrays on the host are computed with, such as opencl:0")


@pytest.fixture(autouse=True, scope="session")
def _device(request):
    khufu.set_default_device(request.config.getoption("--device"))
    yield
    khufu.set_default_device(None)
