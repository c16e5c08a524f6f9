//! The nouns of the admin pages: what an operator sees. Words about time are made on the server, in the operator's time zone.

mod accounts;
mod bans;
mod deed;
mod invites;
mod keys;
mod many_accounts;
mod nodes;
mod overview;
mod queue;
mod templates;

pub use accounts::{AccountList, AccountPage, AccountQuery, AccountRow, Disabled};
pub use bans::{BanList, BanRow, Banned, LASTS, TypedTerm};
pub use deed::{Deed, Mark};
pub use invites::{INVITE_LASTS, InviteList, InviteRow};
pub use keys::{AllKeys, AllRefusals, ApiList, ApiPage, ApiRow, BundleForm, TypedApi};
pub use many_accounts::{ManyAccountsPreview, ManyAccountsQuery, SkippedAccounts};
pub use nodes::NodeRow;
pub use overview::{Health, Numbers, Overview, Part};
pub use queue::{JobList, JobQuery, JobView};
pub use templates::{TemplateList, TemplateQuery, TemplateRow, TemplateTheme, TemplateView};
