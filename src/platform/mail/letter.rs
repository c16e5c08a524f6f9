//! A kind of mail: what it tells, and its words.
//!
//! To add a language is to add a method here: what lacks its words in it no longer compiles. A kind is a struct of plain facts, so that
//! the same words come from what happened, from the samples that operators look at, and from tests.

use super::{Mail, Reader, Sample};

/// The words of a kind, in every language. `Reader::write` chooses.
pub trait Letter: Send + Sync {
    fn en(&self, to: &Reader) -> Mail;
    /// With "Sie".
    fn de(&self, to: &Reader) -> Mail;
}

/// A kind in the list that operators look through. Each feature keeps the list of its own.
#[derive(Clone, Copy)]
pub struct Kind {
    /// `feature.what`; stands in addresses and in the queue.
    pub name: &'static str,
    /// Who gets it, and when.
    pub about: &'static str,
    pub sample: fn(&Sample) -> Box<dyn Letter>,
}
