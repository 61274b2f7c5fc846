"""What programs ask about graphics processors."""

from keopscore.config import cuda_config


def get_gpu_props():
    """How many devices there are, and compiler flags about them."""
    return cuda_config.get_gpu_props()
