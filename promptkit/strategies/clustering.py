"""Groups of questions that are alike, and where they lie on a plane.

Needs scikit-learn, which whatever makes vectors (`promptkit/embedding.py`) needs too.
"""

import warnings
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

if TYPE_CHECKING:
    from promptkit.embedding import Vectors

Points: TypeAlias = tuple[tuple[float, float], ...]
"""Where each vector lies on a plane."""


def k_means(vectors: "Vectors", k: int, seed: int) -> list[tuple[int, ...]]:
    """Group vectors around `k` centres (scikit-learn, the best of ten starts, its default when Auto-CoT was published).

    Args:
        vectors: one row each, `[texts, dimensions]`.
        k: clusters; there are fewer where fewer rows differ.
        seed: of the first centres.

    Returns:
        The rows of each cluster, the nearest to its centre first. No cluster is empty.
    """
    from sklearn import cluster  # pyright: ignore[reportMissingTypeStubs]
    from sklearn.exceptions import ConvergenceWarning  # pyright: ignore[reportMissingTypeStubs]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different rows than clusters
        model = cast(Any, cluster).KMeans(n_clusters=min(k, len(vectors)), n_init=10, random_state=seed).fit(vectors)
    distances = model.transform(vectors)
    clusters: list[tuple[int, ...]] = []
    for number in range(distances.shape[1]):
        members = [row for row, label in enumerate(model.labels_) if label == number]
        members.sort(key=distances[:, number].__getitem__)
        clusters += [tuple(members)] if members else []
    return clusters


def plane(vectors: "Vectors", seed: int) -> Points:
    """Where vectors lie on the plane of their two principal components."""
    from sklearn import decomposition  # pyright: ignore[reportMissingTypeStubs]

    if min(vectors.shape) < 2:
        return tuple((float(row[0]), 0.0) for row in vectors)
    with np.errstate(invalid="ignore"):  # of rows that are all equal
        found = cast(Any, decomposition).PCA(n_components=2, random_state=seed).fit_transform(vectors)
    return tuple((float(x), float(y)) for x, y in found)
