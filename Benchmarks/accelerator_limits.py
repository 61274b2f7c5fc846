"""What a device could do at best: its units and clocks, and what each workload takes of them."""

import subprocess


def device(kind):
    """The device's name and units; with CUDA those of device 0."""
    if kind == "opencl":
        from khufu import diagnosis

        lines = [line.strip() for line in diagnosis().splitlines() if "opencl" in line.lower()]
        return {"name": "opencl", "told": lines[:6]}
    import torch

    properties = torch.cuda.get_device_properties(0)
    capability = (properties.major, properties.minor)
    return {
        "name": properties.name,
        "capability": f"{properties.major}.{properties.minor}",
        "multiprocessors": properties.multi_processor_count,
        "clock": clock(),
        # Instructions of a multiprocessor in a cycle, as NVIDIA's programming guide has them.
        "float32": 64 if capability == (8, 0) else 128,
        "float64": 64 if capability in [(8, 0), (9, 0)] else 2,
        "special": 16,
        "memory": properties.total_memory,
    }


def clock():
    """The highest clock of the multiprocessors in hertz: no limit is beyond it."""
    command = ["nvidia-smi", "--query-gpu=clocks.max.sm", "--format=csv,noheader,nounits", "--id=0"]
    try:
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0]) * 1e6
    except (OSError, subprocess.CalledProcessError, ValueError, IndexError):
        return None


def instructions(workload):
    """Arithmetic and special functions of a pair, without units for matrices. A product is one with the sum that it enters."""
    d, columns = workload.dim, workload.columns
    match workload.matrix:
        case "gaussian":
            # Differences, squares, the factor; the products with b.
            arithmetic, special = 2 * d + 1 + columns, 1
            if workload.gradient:
                arithmetic, special = arithmetic + 2 * d + 1 + 1 + d, 2
        case "log gaussian":
            # The largest exponent so far, the difference from it, the sum.
            arithmetic, special = 2 * d + 1 + 3, 1
        case "attention":
            arithmetic, special = d + 1 + 2 + 1 + columns, 1
        case "euclidean":
            arithmetic, special = 2 * d + 1, 0
    return arithmetic, special


def seconds(workload, device):
    """The least time that the device's own units allow: each takes its own instructions, and all share what is issued in a cycle."""
    if not device.get("clock"):
        return None
    arithmetic, special = instructions(workload)
    double = workload.dtype == "float64"
    # An exponential in float64 is a polynomial: some 20 instructions more.
    if double:
        arithmetic, special = arithmetic + 20 * special, 0
    cycles = max(
        arithmetic / device["float64" if double else "float32"], special / device["special"], (arithmetic + special) / 128
    )
    return workload.points**2 * cycles / (device["multiprocessors"] * device["clock"])
