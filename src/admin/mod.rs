//! The feature admin.
