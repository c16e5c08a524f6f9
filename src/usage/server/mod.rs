//! The operations of usage over a private store: writing what the gate counted, reports, samples of refusals, forgetting.

mod backlog;
mod calendar;
mod estimate;
mod flush;
pub mod http;
mod jobs;
mod limits;
mod oversight;
mod refusals;
mod report;
mod retention;
mod series;
mod span;
mod store;
mod today;

pub use backlog::Backlog;
pub use calendar::Calendar;
pub use flush::{Flusher, LeftOverError, write_batch, write_left_over};
pub use jobs::ForgetOldUsage;
pub use oversight::{attempts_by_address_today, calls_today_of};
pub use refusals::{export_refusals, list_all_refusals, list_refusals, recent_refusals};
pub use report::{ERRORS, key_choices, report_errors, report_usage};
pub use retention::forget_old_usage;
pub use series::{ExportLine, SeriesPoint, export_usage, list_series};
pub use today::{calls_today, unknown_attempts_today};
