//! The operations of plans over a private store: describing them, assigning them, limits of workspaces and APIs, and the dry run.

mod assigning;
mod describing;
mod dry_run;
pub mod forms;
pub mod http;
mod page;
mod rules;
mod store;

pub use assigning::{api_limits, assign_plan, set_api_limits, set_workspace_limits, workspace_hold};
pub use describing::{create_plan, delete_plan, edit_plan, find_plan, list_plans};
pub use dry_run::dry_run;
pub use page::plan_page;
