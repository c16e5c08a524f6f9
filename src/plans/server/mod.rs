//! The operations of plans over a private store: describing them, assigning them, limits of workspaces and APIs, groups, the dry run.

mod assigning;
mod describing;
mod dry_run;
pub mod forms;
pub mod groups;
pub mod http;
mod noting;
mod page;
mod rules;
mod spreading;
mod store;
mod unsaved;
mod walking;

pub use assigning::{
    api_limits, assign_plan, assign_plan_to_account, change_api_limit, change_workspace_limit, set_api_limits, set_workspace_grants, set_workspace_limits,
    workspace_hold,
};
pub use describing::{create_plan, delete_plan, edit_plan, find_plan, list_plans};
pub use dry_run::{check_typed_group, check_typed_plan, dry_run, dry_run_group, try_group, try_plan};
pub use groups::{add_member, create_group, delete_group, edit_group, find_group, group_page, list_groups, list_members, remove_member};
pub use page::plan_page;
pub use spreading::{spread_of, spread_of_api};
pub use unsaved::{PlanTry, try_api_limits, try_group_limits, try_plan_limits, try_workspace_limits};
