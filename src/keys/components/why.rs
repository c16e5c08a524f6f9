//! "Why this limit?": the levels of a key, nearest first; the first that gives anything is in force.

use crate::{
    keys::model::{KeyLimit, LevelView},
    ui::{Badge, Gate},
};
use leptos::prelude::*;

#[component]
pub fn WhyLimit(levels: Vec<LevelView>) -> impl IntoView {
    let rows = levels
        .into_iter()
        .map(|l| {
            let words = l.limits.iter().map(KeyLimit::words).collect::<Vec<_>>().join(", ");
            // In words, too: a line through them says nothing to a screen reader.
            let (gives, state) = match (l.is_in_force, l.limits.is_empty()) {
                (true, _) => (words.into_any(), view! { <Badge gate=Gate::Passed>"In force"</Badge> }.into_any()),
                (false, true) => (view! { <span class="faint">"nothing set"</span> }.into_any(), ().into_any()),
                (false, false) => (view! { <s>{words}</s> }.into_any(), view! { <span class="faint">"overridden"</span> }.into_any()),
            };
            let whose = (!l.name.is_empty()).then(|| view! { <span>{l.name.clone()}</span> });
            view! {
                <tr class=if l.is_in_force { "is-current" } else { "muted" }>
                    <th scope="row"><span class="cell-2"><span>{l.level.words()}</span>{whose}</span></th>
                    <td>{gives}</td>
                    <td class="cell-status">{state}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <details>
            <summary>"Why this limit?"</summary>
            <div class="stack-sm">
                <p class="help">"The nearest level that sets a limit applies, with all its limits. Levels below it are ignored."</p>
                <table class="table table-sm">
                    <caption class="visually-hidden">"Levels of limits, nearest first"</caption>
                    <thead><tr><th scope="col">"Level"</th><th scope="col">"Would give"</th><td><span class="visually-hidden">"State"</span></td></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </details>
    }
    .into_any()
}
