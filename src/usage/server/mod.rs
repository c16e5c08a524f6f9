//! The operations of usage over a private store: writing what the gate counted, reports, samples of refusals, forgetting.

mod addresses;
mod backlog;
mod calendar;
mod estimate;
mod exporting;
mod flush;
pub mod http;
mod jobs;
mod latency;
pub mod latency_http;
mod limits;
mod lines;
mod oversight;
mod partitions;
mod refusals;
mod report;
mod retention;
mod series;
mod span;
mod store;
mod today;

pub use addresses::{AddressReport, report_addresses};
pub use backlog::Backlog;
pub use calendar::Calendar;
pub use exporting::{count_usage_lines, export_usage, page_of_usage, say_usage};
pub use flush::{Flusher, LeftOverError, write_batch, write_left_over};
pub use jobs::{ForgetOldUsage, ForgetRareAddresses, MakePartitions};
pub use latency::{Reported, Took, report_latencies};
pub use lines::{RefusalLine, UsageLine};
pub use oversight::{attempts_by_address_today, calls_today_of};
pub use partitions::make_partitions;
pub use refusals::{count_refusals, export_refusals, list_all_refusals, list_refusals, page_of_refusals, recent_refusals, say_refusals};
pub use report::{ERRORS, key_choices, report_errors, report_usage};
pub use retention::{forget_old_usage, forget_rare_addresses, quarters_over};
pub use series::{SeriesPoint, Usage, list_series};
pub use today::{calls_today, unknown_attempts_today};
