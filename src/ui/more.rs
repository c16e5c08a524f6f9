//! What few people need of a form.

use super::FormOutcome;
use leptos::prelude::*;

/// Rarer fields behind their summary. It is open while one of them is not as the form begins, or is wrong: no error hides there.
#[component]
pub fn MoreFields(
    /// What they are: "Routes, external id, metadata".
    #[prop(into)]
    words: String,
    /// The names of the fields, each with what it begins with.
    begins: Vec<(String, &'static str)>,
    /// One of them is set already.
    #[prop(optional)]
    is_set: bool,
    children: Children,
) -> impl IntoView {
    let is_open = is_set || use_context::<FormOutcome>().is_some_and(|outcome| is_touched(&outcome, &begins));
    view! {
        <details class="more-fields" open=is_open>
            <summary>{words}</summary>
            <div class="stack">{children()}</div>
        </details>
    }
    .into_any()
}

fn is_touched(outcome: &FormOutcome, begins: &[(String, &str)]) -> bool {
    begins.iter().any(|(name, begin)| {
        let is_other = |(field, value): &(String, String)| field == name && !value.is_empty() && value != begin;
        outcome.values.iter().any(is_other) || outcome.error.as_ref().is_some_and(|error| error.field(name).is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::AppError;

    #[test]
    fn rarer_fields_are_open_where_one_was_filled_or_is_wrong() {
        let begins = [("over".to_owned(), "refuse"), ("until".to_owned(), "")];
        let sent = |name: &str, value: &str, error| {
            let outcome = FormOutcome { action: String::new(), form: None, error, values: vec![(name.to_owned(), value.to_owned())] };
            is_touched(&outcome, &begins)
        };
        assert_eq!([sent("over", "refuse", None), sent("until", "", None), sent("name", "burst", None)], [false; 3]);
        assert_eq!([sent("over", "mark", None), sent("until", "2027-01-31", None)], [true; 2]);
        assert!(sent("until", "", Some(AppError::invalid("until", "Write a day."))));
        assert!(!sent("until", "", Some(AppError::invalid("name", "Write a name."))));
    }
}
