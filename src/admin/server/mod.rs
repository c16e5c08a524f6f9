//! The operations of the admin pages, one file per page. Each checks one permission, composes operations of the other features
//! and owns no table; changes are made by the feature that owns the thing.

mod accounts;
mod deeds;
mod health;
mod jobs;
mod keys;
mod nodes;
mod overview;
mod refusals;
mod words;

pub use accounts::{disable_account, enable_account, end_session, end_sessions, list_accounts, read_account, send_reset_link};
pub use jobs::{list_jobs, retry_job};
pub use keys::{change_many_keys, create_api, disable_key, enable_key, list_apis, list_keys, preview_many_keys, revoke_key, save_api, set_limit};
pub use overview::read_overview;
pub use refusals::list_refusals;
