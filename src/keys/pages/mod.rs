//! The pages of keys: the list and one key.

mod key;
mod key_parts;
mod key_secrets;
mod keys;

pub use key::KeyPage;
pub use keys::KeysPage;
