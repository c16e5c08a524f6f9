//! The pages of the site, one file each.

mod landing;

pub use landing::LandingPage;
