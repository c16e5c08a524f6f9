//! The pages of the site, one file each.

mod api_docs;
mod docs;
mod docs_account;
mod docs_acting;
mod docs_audit;
mod docs_bans;
mod docs_blocks;
mod docs_bundles;
mod docs_credits;
mod docs_factors;
mod docs_keys;
mod docs_mails;
mod docs_master_key;
mod docs_over;
mod docs_programs;
mod docs_rest;
mod docs_rolling;
mod docs_routes;
mod docs_sessions;
mod docs_sign_in;
mod docs_signing;
mod docs_speed;
mod docs_together;
mod docs_usage;
mod gallery;
mod home;
mod landing;
mod mailbox;
mod refused;

pub use api_docs::ApiDocsPage;
pub use docs::DocsPage;
pub use gallery::GalleryPage;
pub use home::HomePage;
pub use landing::LandingPage;
pub use mailbox::MailboxPage;
pub use refused::RefusedPage;
