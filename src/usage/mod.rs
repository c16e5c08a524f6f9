//! Usage: verifications counted by key, route, outcome and minute, and what people see of them: charts, totals, limits, refusals.
//!
//! The gate counts in memory (`keys::server::meter`), `server::Flusher` writes the counts in batches, exactly once; reports read the
//! quarter-hour rollup, which fits the days of every time zone. Counts are exact; only calls in detail, refused or passed, are samples, and said so.

pub mod api;
pub mod components;
pub mod model;
pub mod pages;
pub mod server;
