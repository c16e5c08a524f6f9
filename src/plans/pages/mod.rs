//! The page of plans, under Admin.

mod panel;
mod plans;

pub use plans::PlansPage;
