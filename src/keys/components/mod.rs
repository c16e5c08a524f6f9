//! What more than one page of keys shows.

mod act;
mod api_choice;
mod badge;
mod dialogs;
mod loaded;
mod new_key;
mod reveal;
mod said;

pub use act::{BackForm, OpenDialog};
pub use api_choice::ApiChoice;
pub use badge::{StandingBadge, gate_of};
pub use dialogs::{RevokeDialog, RotateDialog};
pub use loaded::loaded;
pub use new_key::{FirstKey, NewKeyDialog, QuickCreate};
pub use reveal::Reveal;
pub use said::{SaidOrNever, SaidTime};
