//! The picture of a person, or their initials; a name stands beside it.

use crate::values::{Picture, PictureSize};
use leptos::prelude::*;

#[component]
pub fn Avatar(
    #[prop(into)] name: String,
    /// Without one, the initials stand in its place.
    #[prop(optional_no_strip)]
    picture: Option<Picture>,
    /// The address of an image that is nobody's, in place of a picture: the gallery has no account to show.
    #[prop(optional)]
    image: Option<&'static str>,
    #[prop(optional)] large: bool,
) -> impl IntoView {
    let (class, side, size) = if large { ("avatar avatar-lg", "40", PictureSize::Large) } else { ("avatar", "24", PictureSize::Small) };
    match image.map(str::to_owned).or_else(|| picture.map(|picture| picture.path(size))) {
        Some(src) => view! { <img class=class src=src alt="" width=side height=side decoding="async"/> }.into_any(),
        None => view! { <span class=class aria-hidden="true">{initials(&name)}</span> }.into_any(),
    }
}

/// First letters of the first and the last word: "Mara Lindqvist" is ML.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|w| w.chars().next());
    let last = words.next_back().and_then(|w| w.chars().next());
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_are_of_the_first_and_last_word() {
        assert_eq!(initials("Mara Lindqvist"), "ML");
        assert_eq!(initials("ada"), "A");
        assert_eq!(initials("Jan van der Berg"), "JB");
        assert_eq!(initials(" "), "");
    }
}
