//! What more than one page of keys shows.

mod act;
mod api_choice;
mod badge;
mod dialogs;
mod found;
mod hold;
mod leak;
mod limit;
mod loaded;
mod many;
mod new_key;
mod over;
mod reveal;
mod review;
mod said;
mod services;
mod tags;
mod why;

pub use act::OpenDialog;
pub use api_choice::{ApiChoice, PresetChoice};
pub use badge::{StandingBadge, gate_of};
pub use dialogs::{DropDialog, NarrowDialog, RevokeDialog, RotateDialog};
pub use found::FoundKey;
pub use hold::HoldNotes;
pub use leak::{LeakChoice, LeakNote, LeakedDialog};
pub use limit::LimitTable;
pub use loaded::loaded;
pub use many::{CheckAll, CheckKey, ManyBar, ManyDecision};
pub use new_key::{FirstKey, NewKeyDialog, QuickCreate, ROUTES};
pub use over::{OVER_BEGINS, OverFields};
pub use reveal::Reveal;
pub use review::ReviewCard;
pub use said::{SaidOrNever, SaidTime};
pub use services::{EXTERNAL_ID, ForServices, METADATA};
pub use tags::Tags;
pub use why::WhyLimit;
