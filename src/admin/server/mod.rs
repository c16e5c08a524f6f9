//! The operations of the admin pages, one file per page. Each checks one permission, composes operations of the other features
//! and owns no table; changes are made by the feature that owns the thing.

mod accounts;
mod apis;
mod bans;
mod deeds;
mod health;
pub mod http;
mod invites;
mod jobs;
mod keys;
mod limits;
mod many_accounts;
mod nodes;
mod overview;
mod refusals;
mod templates;
mod words;

pub use crate::accounts::server::{change_field, create_field, delete_field, list_fields};
pub use accounts::{ask_reset, disable_account, enable_account, end_session, end_sessions, list_accounts, read_account, send_reset_link};
pub use apis::{create_api, delete_bundle, list_apis, read_api, remove_route, save_api, save_bundle, save_route};
pub use bans::{add_ban, ban_account, lift_ban, list_bans, unban_account, unlock_account};
pub use invites::{NEW_LINK, cancel_invite, create_invite, list_invites, resend_invite};
pub use jobs::{list_jobs, retry_job};
pub use keys::{change_many_keys, disable_key, enable_key, list_keys, preview_many_keys, revoke_key, set_limit};
pub use limits::{set_account_grants, set_account_limit, set_api_limit};
pub use many_accounts::{change_many_accounts, preview_many_accounts};
pub use overview::read_overview;
pub use refusals::list_refusals;
pub use templates::{SendTest, kinds as mail_kinds, list_templates, register as register_jobs, send_test};
