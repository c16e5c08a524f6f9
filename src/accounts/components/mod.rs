//! Widgets that speak of the caller: the frame around every signed-in page, the frame of the settings, what asks for a passkey.

mod frame;
mod loaded;
mod passkey;
mod settings;

pub use frame::Framed;
pub use loaded::loaded;
pub use passkey::{PasskeyField, PasskeyPart};
pub use settings::{AccountOfPassword, Setting, SettingsFrame};
