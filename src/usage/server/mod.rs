//! The operations of usage over a private store: writing what the gate counted, reports, samples of refusals, forgetting.

mod addresses;
mod backlog;
mod calendar;
mod codes;
pub mod codes_http;
mod credits;
mod estimate;
mod exporting;
mod files;
pub mod files_http;
mod flush;
pub mod http;
mod jobs;
mod latency;
pub mod latency_http;
mod limit_lines;
mod limits;
mod lines;
mod named;
mod oversight;
pub mod oversight_http;
mod partitions;
mod parts;
pub mod refusal_params;
mod refusals;
mod report;
pub mod requests_http;
mod retention;
mod rhythm;
mod series;
mod span;
mod store;
mod times;
mod today;
mod whose;

pub use addresses::{AddressReport, report_addresses};
pub use backlog::Backlog;
pub use calendar::Calendar;
pub use codes::export_codes;
pub use exporting::{count_usage_lines, export_usage, page_of_usage, say_usage};
pub use files::{export_latencies, export_limits};
pub use flush::{Flusher, LeftOverError, close_left_over, write_batch, write_left_over};
pub use jobs::{ForgetOldUsage, ForgetRareAddresses, MakePartitions};
pub use latency::{Reported, Took, report_latencies};
pub use lines::{AttemptLine, CodeLine, LatencyLine, RefusalLine, UsageLine, UsedLimit};
pub use oversight::{attempts_by_address_today, calls_today_of};
pub use partitions::make_partitions;
pub use parts::report_permissions;
pub use refusals::{
    count_refusals, export_all_refusals, export_refusals, list_all_refusals, list_refusals, page_of_refusals, read_refusals, recent_refusals, say_refusals,
};
pub use report::{ERRORS, key_choices, report_day, report_errors, report_usage};
pub use retention::{forget_old_usage, forget_rare_addresses, quarters_over};
pub use series::{SeriesPoint, Usage, list_series};
pub use today::{calls_today, unknown_attempts_today};
pub use whose::Whose;
