//! The pages of usage, one file each.

mod errors;
mod requests;
mod usage;

pub use errors::ErrorsPage;
pub use requests::RequestsPage;
pub use usage::UsagePage;
