//! `/home`: what wants a decision, the last day, and for a new account the way to the first call.

use crate::{
    accounts::{Caller, components::Framed},
    keys::{
        components::{StandingBadge, WorkspaceNotes, gate_of},
        model::StandingKind,
    },
    notices::model::ToldNotice,
    site::{
        api,
        model::{Home, KeyState},
    },
    ui::{
        Crumb, Gate, GateGlyph, Icon, LinkButton, Look, PageHeader, Size, Sparkline, Table, UsageChart, loaded,
        number::{count, thousands},
    },
    usage::{
        components::{LimitList, USAGE, series, zoom},
        model::UsageQuery,
    },
    values::permission_names as may,
};
use leptos::prelude::*;

#[component]
pub fn HomePage() -> impl IntoView {
    view! { <Framed crumbs=vec![Crumb::here("Home")]>{loaded(api::read_home, page, ("Go to Keys", "/keys"))}</Framed> }
}

fn page(home: Home) -> AnyView {
    let is_new = !home.usage.has_history;
    // Who keeps the whole running has more to see there than on a Home without keys.
    let is_operator = is_new && use_context::<Caller>().is_some_and(|caller| caller.may(&may::ADMIN_READ));
    let rest = if home.state.is_empty() { " Everything else passes." } else { "" };
    let lead = match (is_new, home.state.len() + home.concerns.len() + home.notices.len()) {
        (true, _) => "Three steps to a protected API.".to_owned(),
        (false, 0) => "Nothing needs your attention. All your keys work as they should.".to_owned(),
        (false, 1) => format!("One thing needs your attention.{rest}"),
        (false, n) => format!("{} things need your attention.{rest}", spelled(n)),
    };
    let chart = (!is_new).then(|| {
        let far = zoom(&UsageQuery::default(), USAGE);
        view! { <UsageChart series=series(&home.usage, "home", "Calls of the last 24 hours".to_owned(), USAGE) zoom=far small=true/> }
    });
    let meters = home.usage.meters.clone();
    let limits = (!meters.is_empty()).then(|| view! { <LimitList meters/> });
    let steps = is_new.then(|| first_steps(home.keys > 0));
    let busiest = (!home.usage.keys.is_empty()).then(|| busiest(&home));
    view! {
        <PageHeader title="Home" lead=lead.into_any()>
            {(!is_new).then(|| view! { <LinkButton href="/keys" look=Look::Primary icon=Icon::Plus>"Create key"</LinkButton> })}
            {is_operator.then(|| view! { <LinkButton href="/admin">"Go to Admin"</LinkButton> })}
        </PageHeader>
        <WorkspaceNotes state=home.state.clone() whose="All calls of your keys"/>
        {steps}
        {(!home.concerns.is_empty() || !home.notices.is_empty()).then(|| concerns(home.concerns, home.notices))}
        {chart}
        {match (busiest, limits) {
            (Some(busiest), Some(limits)) => view! { <div class="cols-2">{busiest}{limits}</div> }.into_any(),
            (busiest, limits) => view! { {busiest}{limits} }.into_any(),
        }}
    }
    .into_any()
}

fn spelled(n: usize) -> &'static str {
    ["No", "One", "Two", "Three", "Four", "Five"].get(n).copied().unwrap_or("Several")
}

fn concerns(keys: Vec<KeyState>, notices: Vec<ToldNotice>) -> AnyView {
    let notices = notices
        .into_iter()
        .map(|notice| {
            let href = notice.key.map_or_else(|| "/usage?range=24h".to_owned(), |key| format!("/usage?key={key}&range=24h"));
            let label = format!("See usage: {}", notice.words);
            view! {
                <li>
                    <GateGlyph position=Gate::Limited tinted=true/>
                    <div class="cell-2"><span><a class="row-link" href=href.clone()>{notice.words}</a></span><span>{notice.when}</span></div>
                    <LinkButton href size=Size::Small label>"See usage"</LinkButton>
                </li>
            }
        })
        .collect_view();
    let items = keys
        .into_iter()
        .map(|KeyState { key, name, standing }| {
            let (words, act, href) = match standing.kind {
                StandingKind::Held if standing.is_at_limit => (" has reached its limit".to_owned(), "See usage", format!("/usage?key={key}&range=24h")),
                StandingKind::Held => (format!(": {}", standing.label), "See usage", format!("/usage?key={key}&range=24h")),
                StandingKind::Refused => (format!(": {}", standing.label), "See why", format!("/requests?key={key}")),
                _ => (format!(" {}", lowered(&standing.label)), "Open", format!("/keys/{key}")),
            };
            let label = format!("{act}: {name}");
            view! {
                <li>
                    <GateGlyph position=gate_of(standing.kind) tinted=true/>
                    <div class="cell-2"><span><a class="row-link" href=format!("/keys/{key}")>{name}</a>{words}</span><span>{standing.why}</span></div>
                    <LinkButton href size=Size::Small label>{act}</LinkButton>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="h-needs">
            <h2 id="h-needs" class="visually-hidden">"Needs your attention"</h2>
            <ul class="list roomy">{items}{notices}</ul>
        </section>
    }
    .into_any()
}

/// "Expires in 6 days" as the end of a sentence.
fn lowered(label: &str) -> String {
    let mut letters = label.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn busiest(home: &Home) -> AnyView {
    let rows = home
        .usage
        .keys
        .iter()
        .map(|usage| {
            let points: Vec<_> = usage.spark.iter().map(|c| (c.passed, c.limited, c.refused)).collect();
            let standing = home.busy.iter().find(|state| state.key == usage.key).map(|state| state.standing.clone());
            view! {
                <tr>
                    <th scope="row"><a class="row-link" href=format!("/keys/{}", usage.key)>{usage.name.clone()}</a></th>
                    <td class="col-3"><Sparkline name=usage.name.clone() points time="last 24 hours" small=true/></td>
                    <td class="num">{thousands(usage.counts.total())}</td>
                    <td class="cell-status">{standing.map(|standing| view! { <StandingBadge id=format!("busy-{}", usage.key) standing end=true/> })}</td>
                </tr>
            }
        })
        .collect_view();
    let all = format!("All {}", count(home.keys, "key", "keys"));
    view! {
        <section aria-labelledby="h-busy">
            <div class="section-head"><h2 id="h-busy">"Busiest keys"</h2><a class="push" href="/keys">{all}</a></div>
            <Table caption="Busiest keys of the last 24 hours, most calls first" small=true>
                <thead><tr><th scope="col">"Key"</th><th scope="col" class="col-3">"24 hours"</th><th scope="col" class="num" aria-sort="descending">"Calls"</th><th scope="col" class="cell-status">"Status"</th></tr></thead>
                <tbody>{rows}</tbody>
            </Table>
        </section>
    }
    .into_any()
}

fn first_steps(has_key: bool) -> AnyView {
    let next = if has_key { "/docs" } else { "/keys" };
    let steps = [
        ("Make a key", "A key identifies your program to an API. All it needs is a name.", "/keys", "Create key", has_key),
        ("Protect an API", "Let nginx, Caddy, Traefik or Envoy ask Tollgate about each call, or ask from your code.", "/docs", "Read how", false),
        ("See the call", "Every call appears in the chart within seconds: passed, limited or refused, with the reason.", "/usage", "Open usage", false),
    ];
    let steps = steps
        .map(|(title, text, href, act, is_done)| {
            let gate = if is_done { Gate::Passed } else { Gate::Idle };
            // The next step is the one to press.
            let look = if href == next { Look::Primary } else { Look::Secondary };
            let done = is_done.then(|| view! { <span class="visually-hidden">", done"</span> });
            view! {
                <li>
                    <GateGlyph position=gate tinted=true/>
                    <div class="cell-2"><span class="strong">{title}{done}</span><span>{text}</span></div>
                    <LinkButton href size=Size::Small look>{act}</LinkButton>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="h-steps">
            <h2 id="h-steps" class="visually-hidden">"First steps"</h2>
            <ol class="list roomy">{steps}</ol>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_end_sentences() {
        assert_eq!(lowered("Expires in 6 days"), "expires in 6 days");
        assert_eq!((spelled(3), spelled(9)), ("Three", "Several"));
    }
}
