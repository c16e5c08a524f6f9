//! The pages of the site, one file each.

mod api_docs;
mod docs;
mod gallery;
mod home;
mod landing;
mod mailbox;
mod refused;
mod status;

pub use api_docs::ApiDocsPage;
pub use docs::{DOCS, Doc, DocPage, DocPart, DocsPage, all_docs};
pub use gallery::GalleryPage;
pub use home::HomePage;
pub use landing::LandingPage;
pub use mailbox::MailboxPage;
pub use refused::RefusedPage;
pub use status::StatusPage;
