//! The keys that want a second look, counted, each count with its filter. Nothing where none does.

use crate::{
    keys::model::{KeyQuery, Review, ToReview},
    ui::Chip,
};
use leptos::prelude::*;

/// `query` is what the list at `path` shows: the other filters stay, and a review that is asked for is named although no key wants it.
#[component]
pub fn ReviewCard(review: ToReview, query: KeyQuery, path: &'static str) -> impl IntoView {
    let current = query.review.as_deref().and_then(Review::parse);
    let present: Vec<(Review, Option<u64>)> = review.present().into_iter().map(|(review, n)| (review, Some(n))).collect();
    let unseen = current.filter(|current| present.iter().all(|(review, _)| review != current));
    if present.is_empty() && unseen.is_none() {
        return ().into_any();
    }
    let chips = present
        .into_iter()
        .chain(unseen.map(|review| (review, None)))
        .map(|(review, n)| {
            let word = review.word();
            let label = Review::ALL.into_iter().find(|(known, ..)| *known == review).map_or("", |(_, _, label)| label);
            let is_current = current == Some(review);
            let wanted = (!is_current).then(|| word.to_owned());
            let href = KeyQuery { review: wanted, hash: None, ..query.clone() }.link(path, None);
            view! { <Chip href label nostrip:count=n current=is_current/> }
        })
        .collect_view();
    view! { <section class="row" aria-labelledby="review-title"><h2 id="review-title" class="small muted">"To review"</h2>{chips}</section> }.into_any()
}
