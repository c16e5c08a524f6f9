//! The operations of groups: describing them, and who is in them. What a group allows holds at once for each of its workspaces.

mod describing;
pub mod forms;
mod members;
mod page;

pub(super) use describing::find;
pub use describing::{create_group, delete_group, edit_group, find_group, list_groups};
pub use members::{add_member, list_members, remove_member};
pub use page::group_page;
