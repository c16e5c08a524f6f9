//! The site: landing, home, docs, status, and the pages of development: the component gallery and the mailbox.

pub mod api;
pub mod model;
pub mod pages;
pub mod server;
