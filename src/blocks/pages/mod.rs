//! The page of blocks.

mod blocks;
mod rules;

pub use blocks::BlocksPage;
