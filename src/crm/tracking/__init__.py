"""Tracking: the one door to MLflow. What was fitted, on what, how well, and which model is approved.

`start_store(settings)` once before a run; `track_segmentation(...)` in a notebook; `attach_notebook(...)` after it;
`approve_published(...)` once the run is published. `champions(settings)` tells which models are approved.
Importing this costs little: MLflow itself is loaded when it is first used.
"""

from crm.tracking.lifetime_value import track_lifetime_value
from crm.tracking.models import (
    CHALLENGER,
    CHAMPION,
    TrackedModel,
    approve_published,
    attach_notebook,
    champions,
    track_model,
)
from crm.tracking.segmentation import ApprovedSegments, approved_segments, track_segmentation
from crm.tracking.store import TrackingError, start_store

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "ApprovedSegments",
    "TrackedModel",
    "TrackingError",
    "approve_published",
    "approved_segments",
    "attach_notebook",
    "champions",
    "start_store",
    "track_lifetime_value",
    "track_model",
    "track_segmentation",
]
