//! Widgets that speak of the caller: the frame around every signed-in page, the frame of the settings.

mod dead_link;
mod fields;
mod frame;
mod loaded;
mod settings;

pub use dead_link::{DeadLink, ONCE_FOR_AN_HOUR};
pub use fields::FieldInputs;
pub use frame::Framed;
pub use loaded::loaded;
pub use settings::{AccountOfPassword, Setting, SettingsFrame};
