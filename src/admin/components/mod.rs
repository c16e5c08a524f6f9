//! What more than one admin page shows.

mod accounts;
mod deeds;
mod keys;
mod loaded;
mod refusals;
mod said;

pub use accounts::{AccountTable, StateBadge};
pub use deeds::Deeds;
pub use keys::{KeyBadge, key_gate};
pub use loaded::{link, loaded};
pub use refusals::RefusalTable;
pub use said::{SaidOrNever, SaidTime};
