//! Exports: files of usage, refusals and keys that are too large to be answered at once, written by a job while people do something else.
//!
//! A file is written page by page into chunks in the database, so that memory is bounded, any node can serve it, and a writer that is
//! killed goes on where it was (`server::writing`). It is there for a day. Who asked for it can download it, nobody else.

pub mod api;
pub mod model;
pub mod pages;
pub mod server;
