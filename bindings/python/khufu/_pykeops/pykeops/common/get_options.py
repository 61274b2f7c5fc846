"""Names of backends."""

from __future__ import annotations

from khufu import ArgumentError, ArrayTypeError


class SetBackend:
    """Backends by name, and their numbers."""

    dev = {"CPU": 0, "GPU": 1}
    grid = {"1D": 0, "2D": 1}
    memtype = {"host": 0, "device": 1}
    possible_options_list = [
        "auto", "CPU", "GPU", "GPU_1D", "GPU_1D_device", "GPU_1D_host", "GPU_2D", "GPU_2D_device", "GPU_2D_host",
    ]  # fmt: skip

    def define_tag_backend(self, backend: str, variables) -> tuple[int, int, int]:
        """The numbers of the processor, the scheme and the place of the data."""
        if backend not in self.possible_options_list:
            raise ArgumentError(
                f"Invalid backend. Should be one of {', '.join(self.possible_options_list)}; {backend!r} came."
            )
        parts = backend.split("_")
        place = self.memtype[parts[2]] if len(parts) > 2 else self._place(variables)
        # Khufu computes where the data is, unless it is told otherwise.
        return self.dev.get(parts[0], place), self.grid[parts[1]] if len(parts) > 1 else 0, place

    def define_backend(self, backend: str, variables) -> tuple[str, str, str]:
        """Their names."""
        numbers = self.define_tag_backend(backend, variables)
        return tuple(list(names)[number] for names, number in zip((self.dev, self.grid, self.memtype), numbers))

    def _place(self, variables) -> int:
        places = set()
        for x in variables:
            if not hasattr(x, "is_cuda") and not hasattr(x, "__array_interface__"):
                raise ArrayTypeError(
                    f"All variables should either be numpy arrays or torch tensors; {type(x).__name__} came."
                )
            places.add(int(getattr(x, "is_cuda", False)))
        if len(places) > 1:
            raise ArgumentError("At least two input variables have different memory locations (Cpu/Gpu).")
        return places.pop() if places else 0


def get_tag_backend(backend: str, variables, str: bool = False):
    """The numbers of a backend, or their names."""
    return (
        SetBackend().define_backend(backend, variables) if str else SetBackend().define_tag_backend(backend, variables)
    )
