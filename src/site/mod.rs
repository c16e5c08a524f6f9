//! The site: landing, home, docs, and the component gallery of development.

pub mod pages;
