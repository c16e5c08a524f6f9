//! What the gate checked of one call: what decided first, the others folded below it.

use crate::{
    keys::model::Ground,
    ui::{Gate, GateGlyph, number::count},
    usage::model::{Gatepost, Question, RefusalSample},
};
use leptos::prelude::*;

/// `api` is the API's name, where it is known.
#[component]
pub fn Chain(posts: Vec<Gatepost>, sample: RefusalSample, api: Option<String>) -> impl IntoView {
    let (mut passed, mut unreached, mut decided) = (Vec::new(), Vec::new(), None);
    for post in posts {
        match post {
            Gatepost::Passed(question) => passed.push(question),
            Gatepost::Decided(question) => decided = Some(question),
            Gatepost::NotReached(question) => unreached.push(question),
        }
    }
    let gate = Gate::from(sample.code.group());
    let decider = decided.map(|question| {
        let class = if gate == Gate::Limited { "is-deciding" } else { "is-deciding is-refused" };
        let row = row(class, gate, question, verdict(&sample));
        view! { <ol class="chain">{row}</ol> }
    });
    let is_all = decided.is_none();
    let passed_words = match passed.len() as u64 {
        n if is_all => format!("All {n} checks passed"),
        n => format!("{} passed before it", count(n, "check", "checks")),
    };
    let unreached_words = format!("{} not reached", count(unreached.len() as u64, "check", "checks"));
    let passed: Vec<AnyView> = passed.into_iter().map(|question| row("", Gate::Passed, question, known(question, &sample, api.as_deref()))).collect();
    let unreached: Vec<AnyView> = unreached.into_iter().map(|question| row("is-unreached", Gate::Idle, question, String::new())).collect();
    view! {
        <section class="stack-sm" aria-labelledby="h-asked">
            <h3 id="h-asked">"What the gate checked"</h3>
            {decider}
            {folded(passed_words, passed)}
            {folded(unreached_words, unreached)}
        </section>
    }
    .into_any()
}

/// Nothing where there is none.
fn folded(words: String, rows: Vec<AnyView>) -> Option<AnyView> {
    let is_empty = rows.is_empty();
    (!is_empty).then(|| view! { <details><summary>{words}</summary><ol class="chain">{rows}</ol></details> }.into_any())
}

fn row(class: &'static str, gate: Gate, question: Question, said: String) -> AnyView {
    view! { <li class=class><span><GateGlyph position=gate tinted=true/></span><span>{question.noun()}</span><span>{said}</span></li> }.into_any()
}

/// What a call that passed this check showed it, as far as a sample has it.
fn known(question: Question, sample: &RefusalSample, api: Option<&str>) -> String {
    match question {
        Question::Address => sample.address.clone(),
        Question::Key => sample.key_name.clone().unwrap_or_default(),
        Question::Api => api.unwrap_or_default().to_owned(),
        Question::Route => sample.route.clone(),
        _ => String::new(),
    }
}

/// What it was that refused, in a word or two.
fn verdict(sample: &RefusalSample) -> String {
    let word = match sample.ground {
        Ground::AddressBlocked | Ground::KeyBlocked => "blocked",
        Ground::AddressSlowed | Ground::KeySlowed => "slowed",
        Ground::Form => "not a key",
        Ground::Unknown => "no key has it",
        Ground::Secret => "dropped by a rotation",
        Ground::Revoked => "revoked",
        Ground::OwnerBanned => "owner banned",
        Ground::Disabled => "disabled",
        Ground::Expiry => "expired",
        Ground::Address if sample.address.is_empty() => "not told",
        Ground::Address => return format!("{} not listed", sample.address),
        Ground::Origin | Ground::KeyRoute => "not listed",
        Ground::Api => "another API",
        Ground::Route => "none matches",
        Ground::Path => "path can't be read",
        Ground::Unread => "not read yet",
        Ground::Permission => "missing",
        Ground::Unsigned => "not signed",
        Ground::Signature => "not valid",
        Ground::Limit if sample.limit.is_empty() => "no room",
        Ground::Limit => return format!("no room in “{}”", sample.limit),
    };
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Outcome;

    fn sample(ground: Ground, limit: &str) -> RefusalSample {
        RefusalSample {
            cursor: String::new(),
            time: String::new(),
            at: String::new(),
            key: None,
            key_name: Some("ERP bridge".to_owned()),
            code: Outcome::RateLimited,
            ground,
            is_guessed: false,
            limit: limit.to_owned(),
            route: "GET /orders".to_owned(),
            address: "192.0.2.77".to_owned(),
            request_id: String::new(),
            detail: String::new(),
            passed: None,
        }
    }

    #[test]
    fn values_stand_behind_what_a_sample_knows_and_nothing_is_made_up() {
        assert_eq!(verdict(&sample(Ground::Limit, "burst")), "no room in “burst”");
        assert_eq!(verdict(&sample(Ground::Limit, "")), "no room");
        assert_eq!(verdict(&sample(Ground::Address, "")), "192.0.2.77 not listed");
        let of = |question| known(question, &sample(Ground::Limit, ""), Some("Orders"));
        assert_eq!([of(Question::Address), of(Question::Key), of(Question::Api), of(Question::Route)], ["192.0.2.77", "ERP bridge", "Orders", "GET /orders"]);
        assert_eq!([of(Question::Permission), of(Question::Expiry), of(Question::Signature)], [""; 3], "a sample does not hold it");
    }
}
