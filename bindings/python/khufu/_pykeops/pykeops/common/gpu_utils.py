"""What programs ask about graphics processors."""

from keopscore.config import cuda_config


def get_gpu_number() -> int:
    """How many of NVIDIA's GPUs there are."""
    return cuda_config.n_gpus
