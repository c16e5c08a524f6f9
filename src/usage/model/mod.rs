//! The nouns of usage, for both sides: what is asked (`UsageQuery`, `RefusalQuery`: the queries of the pages' URLs) and what is
//! answered. Labels are made on the server, in the person's time zone; nothing here knows a calendar.

mod gatepost;
mod query;
mod refusals;
mod report;
mod told;

pub use gatepost::{Gatepost, Question};
pub use query::{BucketSize, PartKind, Range, UsageQuery};
pub use refusals::{AttemptsFrom, Passage, RefusalDetail, RefusalList, RefusalQuery, RefusalSample, passed_sampling};
pub use report::{
    AddressUsage, Before, Bucket, ErrorReport, Estimate, Forecast, KeyChoice, KeyUsage, Lasts, LimitHint, LimitLine, LimitMeter, Percentiles, PermissionUsage,
    RouteUsage, UsageReport,
};
pub use told::Told;
