//! The operations of exports over a private store: asking for a file, writing it, serving it, forgetting it.

mod asking;
pub mod http;
pub mod jobs;
mod serving;
mod source;
mod store;
mod writing;

pub use asking::{Export, Wanted, create_export, delete_export, export_page, find_export, list_exports};
pub use serving::{Served, serve_export};
pub use writing::{forget_exports, prepare_export};
