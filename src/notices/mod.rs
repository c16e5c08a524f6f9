//! Notices: mails that tell before something stops. A limit that is nearly used up (once per window and threshold), a key that will
//! expire (30, 7 and 1 days before), and rules of one's own on errors.
//!
//! They are found by jobs that read the counters in Postgres, never on the path of a verification, and told exactly once: the row that
//! says so and the mail are written in one transaction.

pub mod api;
pub mod model;
pub mod pages;
pub mod server;
