//! The keys that want a second look, counted, each count with its filter. Nothing where none does.

use crate::{
    keys::model::{KeyQuery, Review, ToReview},
    ui::Chip,
};
use leptos::prelude::*;

/// `current` is the review that the list shows.
#[component]
pub fn ReviewCard(review: ToReview, #[prop(optional_no_strip)] current: Option<String>) -> impl IntoView {
    let present = review.present();
    if present.is_empty() {
        return ().into_any();
    }
    let chips = present
        .into_iter()
        .map(|(review, n)| {
            let word = review.word();
            let label = Review::ALL.into_iter().find(|(known, ..)| *known == review).map_or("", |(_, _, label)| label);
            let is_current = current.as_deref() == Some(word);
            let wanted = (!is_current).then(|| word.to_owned());
            let href = KeyQuery { review: wanted, ..KeyQuery::default() }.link("/keys", None);
            view! { <Chip href label count=n current=is_current/> }
        })
        .collect_view();
    view! { <section class="row" aria-labelledby="review-title"><h2 id="review-title" class="small muted">"To review"</h2>{chips}</section> }.into_any()
}
