"""Builds the engine with the Swift toolchain and packs it into the wheel, which then fits every Python of the platform."""

import os
import shutil
import subprocess
import sys

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.dist import Distribution

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LIBRARY = "libKhufuC.dylib" if sys.platform == "darwin" else "libKhufuC.so"


def build_engine():
    """The path of the engine's library, built from the repository that this folder is a part of."""
    if not os.path.exists(os.path.join(ROOT, "Package.swift")):
        raise SystemExit(f"The engine is built from Khufu's repository; {ROOT} has no Package.swift.")
    if shutil.which("swift") is None:
        raise SystemExit("The engine is built by a Swift toolchain (swift.org/install); no program named swift was found.")
    # Of its own, for its options differ from those of other builds.
    scratch = os.path.join(ROOT, ".build-python")
    command = ["swift", "build", "-c", "release", "--product", "KhufuC", "--scratch-path", scratch]
    if sys.platform != "darwin":
        # The Swift runtime goes inside, and only the functions of the header are visible from outside.
        command += ["-Xswiftc", "-static-stdlib", "-Xlinker", "-s"]
        command += ["-Xlinker", f"--version-script={os.path.join(HERE, 'exports.map')}"]
    subprocess.run(command, cwd=ROOT, check=True)
    return os.path.join(scratch, "release", LIBRARY)


class BuildWithEngine(build_py):
    def run(self):
        # What an earlier build left would go into the wheel.
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        if not self.editable_mode:
            shutil.copyfile(build_engine(), os.path.join(self.build_lib, "khufu", LIBRARY))
        else:
            shutil.copyfile(build_engine(), os.path.join(HERE, "khufu", LIBRARY))


class PlatformWheel(bdist_wheel):
    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


class PlatformDistribution(Distribution):
    def has_ext_modules(self):
        return True


setup(cmdclass={"build_py": BuildWithEngine, "bdist_wheel": PlatformWheel}, distclass=PlatformDistribution)
