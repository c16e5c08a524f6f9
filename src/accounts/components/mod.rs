//! Widgets that speak of the caller: the frame around every signed-in page, the frame of the settings, sign-ins elsewhere, what asks for
//! a passkey, the time zone of the browser.

mod acting;
mod dead_link;
mod fields;
mod frame;
mod linked;
mod loaded;
mod passkey;
mod settings;
mod trap;
mod way;
mod way_on;
mod with_others;
mod work;
mod zone;

pub use acting::{ActAsCard, ActingBanner, is_shown};
pub use dead_link::{DeadLink, ONCE_FOR_AN_HOUR};
pub use fields::FieldInputs;
pub use frame::{Framed, loaded_in_frame};
pub use linked::LinkedSignIns;
pub use loaded::loaded;
pub use passkey::{PasskeyField, PasskeyPart};
pub use settings::{AccountOfPassword, Setting, SettingsFrame};
pub use trap::Trap;
pub use way::{Way, chosen_way};
pub use way_on::WayOn;
pub use with_others::WithOthers;
pub use work::WorkField;
pub use zone::ZoneField;
