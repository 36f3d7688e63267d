"""Tracking: the one door to MLflow. What was fitted, on what, how well, and which model is approved.

`start_store(settings)` once before a run; `track_segmentation(...)` in a notebook; `attach_notebook(...)` after it;
`approve_published(...)` once the run is published. `recall(name, facts, as_of)` gives the champion that may score;
`track_scoring(...)` notes that it did. `registered(settings)` tells which versions there are, `promote` and
`roll_back` change which one is champion and leave a trace.
Importing this costs little: MLflow itself is loaded when it is first used.
"""

from crm.tracking.appointing import Gate, Trace, approve_published, known_version, note_gate, promote, roll_back
from crm.tracking.campaign_success import track_campaigns
from crm.tracking.cross_sell import track_cross_sell
from crm.tracking.defection import track_defection
from crm.tracking.lifetime_value import track_lifetime_value
from crm.tracking.models import (
    CHALLENGER,
    CHAMPION,
    TrackedModel,
    attach_notebook,
    model_code,
    source_identity,
    track_model,
    track_scoring,
)
from crm.tracking.registry import (
    Recalled,
    Registered,
    Version,
    champions,
    recall,
    record_of,
    registered,
    registered_model,
)
from crm.tracking.segmentation import ApprovedSegments, approved_segments, track_segmentation
from crm.tracking.store import TrackingError, start_store

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "ApprovedSegments",
    "Gate",
    "Recalled",
    "Registered",
    "Trace",
    "TrackedModel",
    "TrackingError",
    "Version",
    "approve_published",
    "approved_segments",
    "attach_notebook",
    "champions",
    "known_version",
    "model_code",
    "note_gate",
    "promote",
    "recall",
    "record_of",
    "registered",
    "registered_model",
    "roll_back",
    "source_identity",
    "start_store",
    "track_campaigns",
    "track_cross_sell",
    "track_defection",
    "track_lifetime_value",
    "track_model",
    "track_scoring",
    "track_segmentation",
]
