//! The feature accounts.
