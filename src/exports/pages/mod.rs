//! The page of exports.

mod exports;

pub use exports::ExportsPage;
