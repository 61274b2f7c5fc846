"""The report of a run on a GPU, in Markdown."""


def text(results):
    device = results["device"]
    lines = [f"# {results['date']}, {device['name']}", ""]
    if device.get("clock"):
        lines += [
            f"- {device['multiprocessors']} multiprocessors, compute capability {device['capability']}, up to {device['clock'] / 1e9:.3f} GHz;"
            f" each issues {device['float32']} float32 and {device['special']} special instructions per cycle",
        ]
    lines += [f"- {line}" for line in device.get("told", [])]
    lines += [f"- {name} {version}" for name, version in results["versions"].items()]
    lines += [f"- missing: {name}: {reason}" for name, reason in results["missing"].items()]
    names = list(results["versions"])
    lines += ["", TIMES, "", *times(results, names), "", ERRORS, "", *errors(results, names), ""]
    failures = [
        f"- {label(case)}: {name}: {engine['missing']}"
        for case in results["cases"]
        for name, engine in case["engines"].items()
        if "missing" in engine
    ]
    return "\n".join(lines + (["Not measured:", "", *failures, ""] if failures else []))


TIMES = """Median times; in brackets how many times khufu's. The limit is what the device's arithmetic and special-function units allow at their
highest clock, without units for matrices, and behind it khufu's share of it. ⚠: wrong beyond tolerance."""

ERRORS = "Errors on a sample of rows against float64, and first calls, compilation included:"


def label(case):
    workload = case["workload"]
    columns = f", {workload['columns']} columns" if workload["columns"] > 1 else ""
    return f"{workload['name']}, {workload['points']:,} points, D={workload['dim']}{columns}, {workload['dtype']}"


def seconds(value):
    return f"{value:.3g} s" if value >= 1 else f"{value * 1e3:.3g} ms"


def table(heads, rows):
    return ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)] + ["| " + " | ".join(row) + " |" for row in rows]


def times(results, names):
    rows = []
    for case in results["cases"]:
        own = case["engines"].get("khufu", {}).get("median")
        limit = case["limit"]
        share = f" ({100 * limit / own:.0f} %)" if limit and own else ""
        row = [label(case), seconds(limit) + share if limit else "–"]
        for name in names:
            engine = case["engines"].get(name, {})
            if "median" not in engine:
                row.append("–")
                continue
            ratio = f" ({engine['median'] / own:.2f}×)" if own and name != "khufu" else ""
            row.append(seconds(engine["median"]) + ratio + (" ⚠" if engine["wrong"] else ""))
        rows.append(row)
    return table(["workload", "limit", *names], rows)


def errors(results, names):
    def cell(engine):
        return f"{engine['error']:.1e}, {seconds(engine['first'])}" if "error" in engine else "–"

    rows = [[label(case)] + [cell(case["engines"].get(name, {})) for name in names] for case in results["cases"]]
    return table(["workload", *names], rows)
