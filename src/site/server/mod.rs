//! The operations of the site. They keep nothing of their own: they put together what other features know.

mod home;
mod mailbox;

pub use home::read_home;
pub use mailbox::open_mailbox;
