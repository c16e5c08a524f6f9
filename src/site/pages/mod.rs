//! The pages of the site, one file each.

mod api_docs;
mod docs;
mod home;
mod gallery;
mod landing;
mod mailbox;
mod refused;

pub use api_docs::ApiDocsPage;
pub use docs::DocsPage;
pub use home::HomePage;
pub use gallery::GalleryPage;
pub use landing::LandingPage;
pub use mailbox::MailboxPage;
pub use refused::RefusedPage;
