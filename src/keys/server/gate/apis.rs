//! The APIs as the gate knows them: by slug, as callers name them, and by id with their routes. Made anew when one of them changes.

use super::{
    Question,
    routing::{Matched, Rules},
};
use crate::{platform::maps::FastMap, values::ApiId};
use std::{num::NonZeroU32, sync::Arc};

/// An API as the gate knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiFacts {
    pub id: ApiId,
    pub slug: Arc<str>,
    /// Browsers that ask before a call are answered, without a key.
    pub answers_preflights: bool,
    /// One in so many calls that pass is kept as a sample; none: none is.
    pub sample_one_in: Option<NonZeroU32>,
}

#[derive(Debug, Default)]
pub struct Apis {
    by_slug: FastMap<Box<str>, ApiFacts>,
    rules: FastMap<ApiId, Rules>,
    /// Only those that keep samples: where none does, nothing is looked up.
    sampling: FastMap<ApiId, NonZeroU32>,
}

impl Apis {
    pub fn new(apis: impl Iterator<Item = (ApiFacts, Rules)>) -> Self {
        let mut all = Self::default();
        for (facts, rules) in apis {
            all.rules.insert(facts.id, rules);
            all.sampling.extend(facts.sample_one_in.map(|one_in| (facts.id, one_in)));
            all.by_slug.insert((&*facts.slug).into(), facts);
        }
        all
    }

    pub fn of_slug(&self, slug: &str) -> Option<ApiFacts> {
        self.by_slug.get(slug).cloned()
    }

    /// The route of a call. Of an API that was not read yet nobody knows what its routes need: such a call does not pass.
    pub fn route(&self, api: ApiId, question: &Question<'_>) -> Matched<'_> {
        self.rules.get(&api).map_or(Matched::Unread, |rules| rules.find(question.route, question.is_proxied))
    }

    /// One in how many of its calls that pass an API keeps as samples, if it keeps any.
    pub fn samples(&self, api: ApiId) -> Option<NonZeroU32> {
        self.sampling.get(&api).copied()
    }

    /// True if the path of a call of this API matters.
    pub fn has_routes(&self, api: ApiId) -> bool {
        self.rules.get(&api).is_some_and(Rules::is_in_force)
    }
}
