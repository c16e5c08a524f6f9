//! The operations of the site. They keep nothing of their own: they put together what other features know.

mod home;
mod mailbox;
mod status;

pub use home::read_home;
pub use mailbox::open_mailbox;
pub use status::{Parts, read_parts, read_status};
