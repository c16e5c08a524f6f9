//! The pages of plans and of groups, under Admin.

mod group_panel;
mod groups;
mod panel;
mod plans;

pub use groups::GroupsPage;
pub use plans::PlansPage;
