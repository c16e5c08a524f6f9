//! The operations of notices over a private store: what is wanted (`settings`, `rules`), what is found by the clock (`limits`,
//! `expiry`, `alerts`) and the mails that say so.

mod alerts;
mod ended;
mod expiry;
pub mod http;
pub mod jobs;
mod letters;
mod limits;
mod mail;
mod rules;
mod settings;
mod store;
mod words;

pub use alerts::watch_errors;
pub use ended::tell_of_ended;
pub use expiry::tell_of_expiry;
pub use letters::KINDS as MAIL_KINDS;
pub use limits::{forget_limit_notices, present_limit_notices, tell_of_limits, tell_of_limits_of_many};
pub use rules::{add_alert_rule, change_alert_rule, find_alert_rule, list_alert_rules, remove_alert_rule};
pub use settings::{edit_settings, notice_page, read_settings, save_settings};
