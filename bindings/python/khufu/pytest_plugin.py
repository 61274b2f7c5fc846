"""`pytest -p khufu.pytest_plugin`: tests that import pykeops test Khufu."""

import khufu

khufu.as_pykeops()
