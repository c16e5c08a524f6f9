//! The pages of usage, one file each.

mod requests;
mod usage;

pub use requests::RequestsPage;
pub use usage::UsagePage;
