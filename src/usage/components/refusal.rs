//! One refusal opened beside the list: which rule decided and why, what was asked before it, and what to do next.

use super::Place;
use crate::{
    ui::{
        CopyId, Fact, Facts, Gate, GateGlyph, Icon, IconLink, LinkButton, Note, Size,
        number::{count, thousands},
    },
    usage::model::{Gatepost, LimitMeter, RefusalDetail, RefusalQuery},
    values::Outcome,
};
use leptos::prelude::*;

/// `back` is the list with nothing opened.
#[component]
pub fn RefusalPanel(detail: RefusalDetail, #[prop(into)] back: String, place: Place) -> impl IntoView {
    let RefusalDetail { sample, moment, api, posts, alike, meters } = detail;
    let code = sample.code;
    let title = if sample.route.is_empty() { code.to_string() } else { sample.route.clone() };
    let why = if sample.detail.is_empty() { code.sentence().to_owned() } else { sample.detail.clone() };
    let own = sample.key.map(|id| format!("{}{id}", place.keys));
    let key = match (own.clone(), sample.key_name.clone()) {
        (Some(href), Some(name)) => view! { <a href=href>{name}</a> }.into_any(),
        (Some(_), None) => "a key that is gone".into_any(),
        (None, _) => "none that is known".into_any(),
    };
    let like_it = alike.map(|n| {
        let words = if n == 1 {
            "The only one of its kind in that minute.".to_owned()
        } else {
            format!("One of {} like it in that minute.", count(n, "call", "calls"))
        };
        view! { <p class="muted">{words}</p> }
    });
    let all = RefusalQuery { code: Some(code.to_string()), key: sample.key.map(|k| k.to_string()), ..RefusalQuery::default() }.link(place.path);
    view! {
        <aside class="card panel" id="opened" aria-labelledby="h-opened">
            <div class="card-head">
                <h2 id="h-opened" class="truncate">{title}</h2>
                <span class="push"><IconLink icon=Icon::Close label="Close" href=back size=Size::Small/></span>
            </div>
            <div class="card-body stack">
                <Note gate=code.group().into()><b class="strong">{code.as_str()}"."</b>" "{why}</Note>
                {like_it}
                <section class="stack-sm" aria-labelledby="h-asked"><h3 id="h-asked">"What was asked, in order"</h3><ol class="chain">{posts.into_iter().map(post).collect_view()}</ol></section>
                <section class="stack-sm" aria-labelledby="h-next">
                    <h3 id="h-next">"What to do"</h3>
                    <p>{next_step(code)}</p>
                    {meters.into_iter().map(meter).collect_view()}
                    {place_to_go(code, own)}
                </section>
                <Facts>
                    <Fact term="Request"><CopyId id="request-id" text=sample.request_id/></Fact>
                    <Fact term="Time"><time datetime=sample.at>{moment}</time></Fact>
                    <Fact term="Key">{key}</Fact>
                    {api.map(|api| view! { <Fact term="API">{api}</Fact> })}
                    <Fact term="Route"><code>{sample.route}</code></Fact>
                    <Fact term="From"><code>{if sample.address.is_empty() { "not said".to_owned() } else { sample.address }}</code></Fact>
                </Facts>
            </div>
            <div class="card-foot"><a href=all>{format!("All samples of {code}")}</a></div>
        </aside>
    }
    .into_any()
}

fn post(post: Gatepost) -> AnyView {
    let (class, gate, question, said) = match post {
        Gatepost::Passed(question) => ("", Gate::Passed, question, "passed"),
        Gatepost::Decided(question) => ("is-deciding", Gate::Refused, question, "decided"),
        Gatepost::NotReached(question) => ("is-unreached", Gate::Idle, question, "not reached"),
    };
    view! { <li class=class><span><GateGlyph position=gate tinted=true/></span><span>{question.words()}</span><span class="faint">{said}</span></li> }
        .into_any()
}

/// A limit as it stands now: when calls pass again.
fn meter(meter: LimitMeter) -> AnyView {
    let by = if meter.is_shared { " by all keys together" } else { "" };
    let resets = Some(meter.resets()).filter(|resets| !resets.is_empty()).map(|resets| format!("; {resets}")).unwrap_or_default();
    let words = match meter.is_credits {
        true => format!("{} left of {} credits now{resets}.", thousands(meter.remaining), thousands(meter.limit)),
        false => format!("{} of {} calls {} used now{by}{resets}.", thousands(meter.used), thousands(meter.limit), meter.window),
    };
    view! { <p class="muted">{words}</p> }.into_any()
}

const fn next_step(code: Outcome) -> &'static str {
    match code {
        Outcome::RateLimited | Outcome::QuotaExceeded => {
            "Calls pass again when the limit resets, credits come back or a call ends; the answer's Retry-After says in how many seconds, if it is known. If this happens often, spread the calls or ask for a higher limit."
        }
        Outcome::IpDenied => "If this address is yours, add it to the key's addresses. If not, somebody else holds the secret: rotate the key.",
        Outcome::Forbidden => "Give the key the permission that the call needs, or leave the call out of the program.",
        Outcome::WrongApi => "Use a key that was made for this API. The program probably has another one's secret in its settings.",
        Outcome::Expired => "Set a later expiry on the key's page. After a rotation, put the new secret into the program.",
        Outcome::Disabled => "Enable the key on its page, or take it out of the program that still calls with it.",
        Outcome::Revoked => "A revoked key never passes again. Create a new key and put its secret into the program.",
        Outcome::Malformed => "The secret was cut off or mistyped on its way into the program. Copy it again as a whole.",
        Outcome::Unknown => "No key has this secret. It may be of another installation, or dropped by a rotation.",
        Outcome::Banned => "The owner of the key may not make calls. An operator can lift that on the owner's account.",
        _ => "See the key's page for what is set there.",
    }
}

/// Where it is done, if there is a key to do it with.
fn place_to_go(code: Outcome, key: Option<String>) -> AnyView {
    let Some(key) = key else { return ().into_any() };
    let is_page = key.starts_with("/keys/");
    let part = |name: &str| if is_page { format!("{key}#{name}") } else { key.clone() };
    let (label, href) = match code {
        Outcome::RateLimited | Outcome::QuotaExceeded => ("See the limits", part("limits-title")),
        Outcome::IpDenied => ("Addresses of the key", part("settings")),
        Outcome::Forbidden => ("Permissions of the key", part("settings")),
        Outcome::Expired => ("Expiry of the key", part("settings")),
        _ => ("Open the key", key.clone()),
    };
    view! { <div><LinkButton href size=Size::Small>{label}</LinkButton></div> }.into_any()
}
