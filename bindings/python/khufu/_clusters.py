"""Clusters of points, for block-sparse reductions: what `khufu.numpy.cluster` and `khufu.torch.cluster` have in common, which is all but a few words.

A label is a whole number per point, from 0. Points are sorted by label, so that those of one cluster are contiguous; a range [start, end) says
where a cluster lies then.
"""

from __future__ import annotations

from types import ModuleType

from .errors import ArgumentError, ArrayTypeError


class Clusters:
    """The functions, for the arrays of one library."""

    #: numpy or torch: of both, only functions and arguments that they share are used below.
    library: ModuleType
    #: The type of its arrays.
    array: type

    def cast(self, x, dtype):
        """The array in another type, "int64" for example."""
        raise NotImplementedError

    def is_whole(self, x) -> bool:
        """Whether an array's type is one of whole numbers or booleans."""
        raise NotImplementedError

    def constant(self, x):
        """The array without derivatives."""
        return x

    def row(self, values, like):
        """A list of numbers as a float64 array, on the device of another."""
        raise NotImplementedError

    def sorting(self, labels):
        """The stable permutation that sorts labels."""
        raise NotImplementedError

    def totals(self, labels, rows, count: int):
        """The sum of each cluster's rows, taken in float64: of shape (count, D)."""
        raise NotImplementedError

    def grid_cluster(self, x, size):
        """Labels points by the cell of a cubic grid that they lie in.

        A corner of the grid is at the origin, so that clouds which are labelled apart meet the same cells. Cells with points are
        numbered from 0, in the order of their place along the first axis, then the second, and so on.

        Args:
            x: points, of shape (M, D); any D.
            size: the length of a cell's edge, or D of them; positive.

        Returns:
            Labels of shape (M,), int64, from 0 to the number of cells with points, less 1.

        Raises:
            ArgumentError: for another shape, a size that is not positive, points that are not finite.
        """
        self._check_points(x)
        cells = self.library.floor(self.cast(self.constant(x), "float64") / self.row(_edges(size, x.shape[1]), x))
        if not self.library.isfinite(cells).all():
            raise ArgumentError("Points of a grid have finite coordinates of moderate size; some of these have not.")
        # Axis by axis, and made compact each time: numbers stay below M², so that no two cells share one.
        labels = self.cast(self.row([0.0], x), "int64").repeat(x.shape[0])
        for axis in range(x.shape[1]):
            values, places = self.library.unique(cells[:, axis], return_inverse=True)
            labels = self.library.unique(labels * len(values) + places, return_inverse=True)[1]
        return labels

    def sort_clusters(self, x, lab):
        """Sorts points by label, so that each cluster is contiguous. Points of one cluster keep their order.

        Args:
            x: an array of shape (M, …), or a tuple or list of such.
            lab: labels, of shape (M,).

        Returns:
            (x, lab) sorted: x of the kind that was given.
        """
        self._check_labels(lab)
        lab = lab.reshape(-1)
        is_one = not isinstance(x, (tuple, list))
        for part in [x] if is_one else x:
            if len(part) != len(lab):
                raise ArgumentError(f"There are {len(lab)} labels, one per point; an array has {len(part)} points.")
        order = self.sorting(lab)
        if is_one:
            return x[order], lab[order]
        parts = [part[order] for part in x]
        return (tuple(parts) if isinstance(x, tuple) else parts), lab[order]

    def cluster_ranges(self, lab, Nlab=None):
        """Where each cluster lies once its points are sorted.

        Args:
            lab: labels, of shape (M,), sorted or not.
            Nlab: how many points each cluster has, of shape (C,); counted if left out.

        Returns:
            [start, end) of each cluster, of shape (C, 2), int64.
        """
        counts = self._counts(lab) if Nlab is None else self.cast(self._sizes(Nlab), "int64")
        ends = counts.cumsum(0)
        return self.library.stack((ends - counts, ends), 1)

    def cluster_centroids(self, x, lab, Nlab=None, weights=None, weights_c=None):
        """The mean, or weighted mean, of each cluster's points.

        Args:
            x: points, of shape (M, D).
            lab: labels, of shape (M,).
            Nlab: how many points each cluster has, of shape (C,); counted if left out.
            weights: of each point, of shape (M,); all alike if left out.
            weights_c: of each cluster, of shape (C,); summed if left out.

        Returns:
            Centroids of shape (C, D), of the type of x: NaN for a cluster without points or without weight.
        """
        self._check_points(x, lab)
        counts = self._counts(lab) if Nlab is None else self._sizes(Nlab).reshape(-1)
        if weights is None:
            sums, weights_c = self.totals(self._labels(lab), x, len(counts)), counts
        else:
            column = self._column(weights, x)
            sums = self.totals(self._labels(lab), x * column, len(counts))
            if weights_c is None:
                weights_c = self.totals(self._labels(lab), column, len(counts))
        weights_c = self.cast(weights_c, "float64").reshape(-1, 1)
        # A quotient by NaN, where 0 / 0 would warn.
        return self.cast(sums / self.library.where(weights_c == 0, float("nan"), weights_c), x.dtype)

    def cluster_ranges_centroids(self, x, lab, weights=None, min_weight=1e-9):
        """Where each cluster lies once its points are sorted, its centroid and its weight.

        Args:
            x: points, of shape (M, D).
            lab: labels, of shape (M,), sorted or not.
            weights: of each point, of shape (M,); 1 each if left out.
            min_weight: smaller weights count as this much, so that no cluster with points is without a centroid.

        Returns:
            (ranges, centroids, weights), of shapes (C, 2), (C, D) and (C,): int64, the type of x, that of the weights or of x.
        """
        self._check_points(x, lab)
        counts = self._counts(lab)
        if weights is None:
            totals = self.cast(counts, x.dtype)
        else:
            weights = self.library.clip(self._column(weights, x), min_weight, None)
            totals = self.cast(self.totals(self._labels(lab), weights, len(counts)), weights.dtype).reshape(-1)
        return self.cluster_ranges(lab, counts), self.cluster_centroids(x, lab, counts, weights, totals), totals

    def from_matrix(self, ranges_i, ranges_j, keep):
        """The `ranges` of a reduction that takes only some pairs of clusters.

        Args:
            ranges_i: [start, end) of clusters of points i, of shape (C, 2).
            ranges_j: the same of points j, of shape (D, 2).
            keep: which pairs are taken, a matrix of booleans of shape (C, D).

        Returns:
            (ranges_i, slices_i, redranges_j, ranges_j, slices_j, redranges_i), int64. The k-th range of points i meets those of
            redranges_j[slices_i[k - 1]:slices_i[k]], where a 0 stands before the first slice; the last three say the same of points j.
        """
        for name, ranges in (("ranges_i", ranges_i), ("ranges_j", ranges_j), ("keep", keep)):
            if not isinstance(ranges, self.array):
                raise ArrayTypeError(f"{name} is an array of {self.library.__name__}; {type(ranges).__name__} came.")
            if not self.is_whole(ranges):
                raise ArrayTypeError(
                    f"{name} has {'booleans' if name == 'keep' else 'whole numbers'}; {ranges.dtype} came."
                )
            if name != "keep" and (len(ranges.shape) != 2 or ranges.shape[1] != 2):
                raise ArgumentError(f"{name} has shape (clusters, 2); {tuple(ranges.shape)} came.")
        if tuple(keep.shape) != (len(ranges_i), len(ranges_j)):
            raise ArgumentError(
                f"keep has shape {(len(ranges_i), len(ranges_j))}, as there are ranges; {tuple(keep.shape)} came."
            )
        keep = keep != 0
        ranges_i, ranges_j, taken = self.cast(ranges_i, "int64"), self.cast(ranges_j, "int64"), self.cast(keep, "int64")
        redranges_j = ranges_j[self.library.where(keep)[1]]
        redranges_i = ranges_i[self.library.where(keep.T)[1]]
        return ranges_i, taken.sum(1).cumsum(0), redranges_j, ranges_j, taken.sum(0).cumsum(0), redranges_i

    def swap_axes(self, ranges):
        """The `ranges` of the transposed reduction; None for None."""
        if ranges is None:
            return None
        if not isinstance(ranges, (tuple, list)) or len(ranges) != 6:
            came = f"{len(ranges)}" if isinstance(ranges, (tuple, list)) else f"a {type(ranges).__name__}"
            raise ArgumentError(f"ranges are six arrays, of `from_matrix`; {came} came.")
        return (*ranges[3:6], *ranges[0:3])

    def _sizes(self, Nlab):
        if not isinstance(Nlab, self.array):
            raise ArrayTypeError(
                f"Nlab is an array of {self.library.__name__}, how many points each cluster has; a {type(Nlab).__name__} came."
            )
        return Nlab

    def _labels(self, lab):
        return self.cast(lab, "int64").reshape(-1)

    def _counts(self, lab):
        self._check_labels(lab)
        return self.library.bincount(self._labels(lab))

    def _column(self, weights, x):
        if not isinstance(weights, self.array):
            raise ArrayTypeError(f"Weights are an array of {self.library.__name__}; {type(weights).__name__} came.")
        column = weights.reshape(-1, 1)
        if len(column) != len(x):
            raise ArgumentError(f"There is a weight for each of {len(x)} points; {len(column)} came.")
        return column

    def _check_points(self, x, lab=None) -> None:
        if not isinstance(x, self.array):
            raise ArrayTypeError(f"Points are an array of {self.library.__name__}; {type(x).__name__} came.")
        if len(x.shape) != 2:
            raise ArgumentError(f"Points have shape (points, dimension); {tuple(x.shape)} came.")
        if lab is not None:
            self._check_labels(lab)
            if len(lab.reshape(-1)) != len(x):
                raise ArgumentError(f"There is a label for each of {len(x)} points; {len(lab.reshape(-1))} came.")

    def _check_labels(self, lab) -> None:
        if not isinstance(lab, self.array):
            raise ArrayTypeError(f"Labels are an array of {self.library.__name__}; {type(lab).__name__} came.")
        if not self.is_whole(lab):
            raise ArrayTypeError(f"Labels are whole numbers; {lab.dtype} came.")
        if len(lab.reshape(-1)) and lab.min() < 0:
            raise ArgumentError(f"Labels count from 0; {int(lab.min())} came.")


def _edges(size, dimension: int) -> list[float]:
    """The length of a cell along each axis."""
    is_list = isinstance(size, (list, tuple)) or len(getattr(size, "shape", ())) > 0
    try:
        edges = [float(edge) for edge in size] if is_list else [float(size)]
    except (TypeError, ValueError):
        raise ArrayTypeError(f"The size of cells is a number, or one for each axis; {size!r} came.") from None
    if len(edges) == 1:
        edges *= dimension
    if len(edges) != dimension:
        raise ArgumentError(f"Cells have one size, or one for each of {dimension} axes; {len(edges)} came.")
    for edge in edges:
        if not 0 < edge < float("inf"):
            raise ArgumentError(f"The size of cells is a positive number; {edge} came.")
    return edges
