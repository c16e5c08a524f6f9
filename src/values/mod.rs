//! Small parsed value types of both sides. What has one of these types has been checked; nothing here does I/O.

mod abuse_rule;
mod actor;
mod area;
mod block_policy;
mod counts;
mod email;
mod ids;
mod job_state;
mod language;
mod link;
mod not_now;
mod outcome;
mod permission;
mod picture;
mod secret_shape;
mod slug;
mod typed;
mod unseen;
mod version;

pub use abuse_rule::AbuseRule;
pub use actor::{Actor, FORMER, actor_words, by_words, stands_for_another};
pub use area::Area;
pub use block_policy::BlockPolicy;
pub use counts::Counts;
pub use email::Email;
pub use ids::{
    AccountId, ActingId, AlertRuleId, ApiId, BanId, BatchId, BlockId, BundleId, DeviceId, EventId, ExportId, GroupId, IdError, ImportId, InviteId, JobId,
    KeyId, LinkId, NodeId, PasskeyId, PlanId, SecretId, SessionId, Text as IdText, TokenId, WorkspaceId,
};
pub use job_state::JobState;
pub use language::Language;
pub use link::link;
pub use not_now::NotNow;
pub use outcome::{Outcome, OutcomeGroup};
pub use permission::{CATALOGUE, Permission, names as permission_names};
pub use picture::{Picture, PictureSize};
pub use secret_shape::{SECRET_SHAPE, holds_secret};
pub use slug::{KeyPrefix, Slug};
pub use typed::Typed;
pub use unseen::{is_blank, is_unseen, turns_writing};
pub use version::Version;
