//! One call that passed, opened beside the list: what it cost, what its limits had left, and how long such calls took.

use super::{Chain, Place};
use crate::{
    ui::{
        CopyId, Fact, Facts, Icon, IconLink, Note, Size,
        number::{count, millis, thousands},
    },
    usage::model::{Passage, Percentiles, RefusalDetail, RefusalQuery},
};
use leptos::prelude::*;

/// `back` is the list with nothing opened.
#[component]
pub fn PassedPanel(detail: RefusalDetail, passed: Passage, #[prop(into)] back: String, place: Place) -> impl IntoView {
    let RefusalDetail { sample, moment, api, posts, alike, took, .. } = detail;
    let code = sample.code;
    let title = if sample.route.is_empty() { code.to_string() } else { sample.route.clone() };
    let key = match (sample.key, sample.key_name.clone()) {
        (Some(id), Some(name)) => view! { <a href=format!("{}{id}", place.keys)>{name}</a> }.into_any(),
        _ => "a deleted key".into_any(),
    };
    let kept = match passed.one_in {
        1 => "Every such call was kept.".to_owned(),
        n => format!("One in {} of such calls was kept.", thousands(u64::from(n))),
    };
    let like_it = alike.map(|n| {
        let words = if n == 1 {
            "The only one of its kind in that minute, counted exactly.".to_owned()
        } else {
            format!("One of {} like it in that minute, counted exactly.", count(n, "call", "calls"))
        };
        view! { <p class="muted">{words}</p> }
    });
    let cost = match passed.cost {
        0 => "Nothing".to_owned(),
        cost => count(cost, "unit", "units"),
    };
    let limits: Vec<AnyView> =
        passed.limits.iter().map(|at| view! { <li>{format!("{}: {} of {}", at.name, thousands(at.remaining), thousands(at.limit))}</li> }.into_any()).collect();
    let left = (!limits.is_empty()).then(|| {
        view! { <section class="stack-sm" aria-labelledby="h-left"><h3 id="h-left">"What its limits had left"</h3><ul>{limits}</ul></section> }
    });
    let all = RefusalQuery { key: sample.key.map(|k| k.to_string()), ..RefusalQuery::default() }.of_passed().link(place.path);
    let checked = view! { <Chain posts sample=sample.clone() api=api.clone()/> };
    view! {
        <aside class="card panel" id="opened" aria-labelledby="h-opened">
            <div class="card-head">
                <h2 id="h-opened" class="truncate">{title}</h2>
                <span class="push"><IconLink icon=Icon::Close label="Close" href=back size=Size::Small/></span>
            </div>
            <div class="card-body stack">
                <Note gate=code.group().into()><b class="strong">{code.as_str()}"."</b>" The call passed. "{kept}</Note>
                {like_it}
                {left}
                {checked}
                <Facts>
                    <Fact term="Cost">{cost}</Fact>
                    {took.map(|took| view! { <Fact term="Such calls took">{taken(took)}</Fact> })}
                    <Fact term="Request"><CopyId id="request-id" text=sample.request_id/></Fact>
                    <Fact term="Time"><time datetime=sample.at>{moment}</time></Fact>
                    <Fact term="Key">{key}</Fact>
                    {api.map(|api| view! { <Fact term="API">{api}</Fact> })}
                    <Fact term="Route"><code>{sample.route}</code></Fact>
                    <Fact term="From"><code>{if sample.address.is_empty() { "unknown".to_owned() } else { sample.address }}</code></Fact>
                </Facts>
            </div>
            <div class="card-foot"><a href=all>"All samples of this key's calls that passed"</a></div>
        </aside>
    }
    .into_any()
}

/// Of this key to this route in the quarter of an hour of the sample: services tell no single call.
fn taken(took: Percentiles) -> String {
    format!("50 % at most {}, 95 % at most {} ({} reported in that quarter of an hour)", millis(took.p50), millis(took.p95), count(took.count, "call", "calls"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_such_calls_took_is_told_in_words() {
        let took = Percentiles { p50: 12_000, p95: 80_000, p99: 90_000, count: 1 };
        let words = taken(took);
        assert!(words.starts_with("50 % at most 12") && words.ends_with("(1 call reported in that quarter of an hour)"), "{words}");
    }
}
