"""A backend spread over a Ray cluster."""

from promptkit.backends.ray.backend import RayBackend
from promptkit.backends.ray.cluster import RayCluster, installed

__all__ = ["RayBackend", "RayCluster", "installed"]
