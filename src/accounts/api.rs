//! Server functions of accounts.
