//! The feature usage.
