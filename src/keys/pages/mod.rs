//! The pages of keys: the list, one key, many at once, whose a key is, lists in and out.

mod create_many;
mod find;
mod import;
mod key;
mod key_parts;
mod key_secrets;
mod key_signing;
mod key_use;
mod keys;
mod many;
mod sign;

pub use create_many::CreateManyPage;
pub use find::FindPage;
pub use import::ImportPage;
pub use key::KeyPage;
pub use keys::KeysPage;
pub use many::ManyPage;
pub use sign::SignPage;
