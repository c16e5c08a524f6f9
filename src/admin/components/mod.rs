//! What more than one admin page shows.

mod accounts;
mod ban_form;
mod deeds;
mod loaded;
mod many_accounts;
mod refusals;
mod shut_out;

pub use accounts::{AccountTable, StateBadge};
pub use ban_form::BanFields;
pub use deeds::Deeds;
pub use loaded::{link, loaded};
pub use many_accounts::{CheckAccount, ManyAccountsBar};
pub use refusals::RefusalTable;
pub use shut_out::ShutOutCard;
