//! The feature site.
