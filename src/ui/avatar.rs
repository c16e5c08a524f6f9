//! Initials for people; a name stands beside them.

use leptos::prelude::*;

#[component]
pub fn Avatar(#[prop(into)] name: String, #[prop(optional)] large: bool) -> impl IntoView {
    view! { <span class=if large { "avatar avatar-lg" } else { "avatar" } aria-hidden="true">{initials(&name)}</span> }
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
