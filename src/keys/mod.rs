//! The feature keys.
