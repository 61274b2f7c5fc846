#!/usr/bin/env python3
"""Makes the CSV files beside this script from packages on PyPI. Needs pip and the network; no other package.

    python3 make.py [FOLDER]        writes to FOLDER, by default beside this script

README.md says where each file comes from and under which licence.
"""
import csv, gzip, io, pathlib, subprocess, sys, tempfile, zipfile

PACKAGES = {
    "scikit-learn": "1.9.1",
    "vega_datasets": "0.9.0",
    "bokeh-sampledata": "2026.1",
}


def wheel(name):
    """The wheel of a package, downloaded and opened."""
    folder = tempfile.mkdtemp()
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "-d", folder,
         f"{name}=={PACKAGES[name]}"], check=True)
    return zipfile.ZipFile(next(pathlib.Path(folder).glob("*.whl")))


def rounded(text, digits):
    """A number with at most `digits` decimals."""
    return f"{float(text):.{digits}f}".rstrip("0").rstrip(".")


def digits():
    text = gzip.decompress(wheel("scikit-learn").read("sklearn/datasets/data/digits.csv.gz")).decode()
    return text.splitlines()


def airports():
    text = wheel("vega_datasets").read("vega_datasets/_data/airports.csv").decode()
    rows = csv.DictReader(io.StringIO(text))
    return ["longitude,latitude"] + [f"{rounded(r['longitude'], 5)},{rounded(r['latitude'], 5)}" for r in rows]


def cities():
    data = wheel("bokeh-sampledata").read("bokeh_sampledata/_data/world_cities.csv.gz")
    rows = csv.DictReader(io.StringIO(gzip.decompress(data).decode()))
    return ["longitude,latitude"] + [f"{rounded(r['lng'], 2)},{rounded(r['lat'], 2)}" for r in rows]


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    for make in (digits, airports, cities):
        (target / f"{make.__name__}.csv").write_text("\n".join(make()) + "\n")
