//! The operations of blocks over a private store: making and lifting them, listing them, the rules, acting on what the gate suspects,
//! and telling operators of it.

mod adding;
mod firing;
pub mod forms;
mod guard;
pub mod http;
pub mod jobs;
mod letter;
mod lifting;
mod listing;
mod page;
mod rules;
mod settings;
mod store;
mod telling;

pub use adding::{Added, add_block};
pub use firing::fire;
pub use guard::Guard;
pub use letter::KINDS as MAIL_KINDS;
pub use lifting::{forget_old_blocks, lift_block};
pub use listing::{BlockList, find_block, list_blocks};
pub use page::block_page;
pub use rules::{action_of, lasting, then_of};
pub use settings::{change_rule, find_rule, rule_settings, set_exemptions, set_rule};
pub use telling::tell_operators;
