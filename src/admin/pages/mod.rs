//! The pages of `/admin`, one file per route.

mod account;
mod accounts;
mod api;
mod api_bundles;
mod apis;
mod ban;
mod bans;
mod disable;
mod effective;
mod fields;
mod import_accounts;
mod invites;
mod jobs;
mod key_panel;
mod keys;
mod many;
mod many_accounts;
mod overview;
mod refusals;
mod reset_factors;
mod templates;

pub use account::AccountPage;
pub use accounts::AccountsPage;
pub use api::ApiPage;
pub use apis::ApisPage;
pub use bans::BansPage;
pub use fields::FieldsPage;
pub use import_accounts::ImportAccountsPage;
pub use invites::InvitesPage;
pub use jobs::JobsPage;
pub use keys::KeysPage;
pub use many::ManyPage;
pub use many_accounts::ManyAccountsPage;
pub use overview::OverviewPage;
pub use refusals::RefusalsPage;
pub use templates::TemplatesPage;

use crate::ui::Crumb;

/// Admin, then where one is.
fn crumbs(here: &'static str) -> Vec<Crumb> {
    vec![Crumb::link("Admin", "/admin"), Crumb::here(here)]
}
