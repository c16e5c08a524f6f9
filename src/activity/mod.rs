//! The feature activity.
