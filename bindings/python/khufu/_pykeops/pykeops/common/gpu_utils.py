"""What programs ask about graphics processors."""


def get_gpu_number() -> int:
    """How many devices Khufu can compute on besides the CPU: none in this build."""
    return 0
