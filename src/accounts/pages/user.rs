//! `/u/{handle}`: what somebody shows to everybody. A handle that nobody has and one with nothing to see look the same.

use crate::{
    accounts::{
        api,
        components::loaded,
        model::{Caller, FieldKind, FieldValue, PublicProfile},
    },
    ui::{Avatar, Fact, Facts, PublicFrame},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

#[component]
pub fn UserPage() -> impl IntoView {
    let handle = use_params_map().with_untracked(|p| p.get("handle").unwrap_or_default());
    let entered = use_context::<Caller>().is_some();
    view! { <PublicFrame entered foot="Tollgate"><div class="article">{loaded(move || api::user(handle.clone()), profile)}</div></PublicFrame> }
}

fn profile(it: PublicProfile) -> AnyView {
    let title = it.name.clone().unwrap_or_else(|| it.handle.clone());
    view! {
        <Title text=title.clone()/>
        <div class="stack">
            <div class="row"><Avatar name=title.clone() picture=it.picture large=true/><h1>{title}</h1></div>
            <Facts>
                <Fact term="Handle"><code>{it.handle}</code></Fact>
                {it.joined.map(|day| view! { <Fact term="Here since">{day}</Fact> })}
                {it.time_zone.map(|zone| view! { <Fact term="Time zone">{zone.replace('_', " ")}</Fact> })}
                {it.language.map(|language| view! { <Fact term="Language">{language}</Fact> })}
                {it.fields.into_iter().map(|it| view! { <Fact term=it.field.label.clone()>{value(it)}</Fact> }).collect_view()}
            </Facts>
        </div>
    }
    .into_any()
}

/// What somebody wrote: text, but for a web address, which promises nothing for this site.
fn value(it: FieldValue) -> AnyView {
    match it.field.kind {
        FieldKind::Url => {
            let href = it.value.clone();
            view! { <a href=href rel="nofollow noopener ugc">{it.value}</a> }.into_any()
        }
        FieldKind::Checkbox => "Yes".into_any(),
        FieldKind::Text | FieldKind::Number | FieldKind::Date | FieldKind::Choice => it.value.into_any(),
    }
}
