//! One refusal opened beside the list: which rule decided and why, what the program was told, and what to do next.

use super::{Chain, Place, limits::amount};
use crate::{
    keys::model::{Ground, LimitKind, OverAction},
    ui::{
        CopyId, Fact, Facts, Icon, IconLink, LinkButton, Note, Size,
        number::{count, thousands},
    },
    usage::model::{LimitMeter, RefusalDetail, RefusalQuery, Told},
};
use leptos::prelude::*;

/// `back` is the list with nothing opened.
#[component]
pub fn RefusalPanel(detail: RefusalDetail, #[prop(into)] back: String, place: Place) -> impl IntoView {
    let RefusalDetail { sample, moment, api, posts, alike, meters, held_by, told, .. } = detail;
    let (code, ground) = (sample.code, sample.ground);
    let title = if sample.route.is_empty() { code.to_string() } else { sample.route.clone() };
    let why = if sample.detail.is_empty() { code.sentence().to_owned() } else { sample.detail.clone() };
    let own = sample.key.map(|id| format!("{}{id}", place.keys));
    let key = match (own.clone(), sample.key_name.clone()) {
        (Some(href), Some(name)) => view! { <a href=href>{name}</a> }.into_any(),
        (Some(_), None) => "a deleted key".into_any(),
        (None, _) => "no known key".into_any(),
    };
    let like_it = alike.map(|n| {
        let words = if n == 1 {
            "The only one of its kind in that minute.".to_owned()
        } else {
            format!("One of {} like it in that minute.", count(n, "call", "calls"))
        };
        view! { <p class="muted">{words}</p> }
    });
    let guess = if sample.is_guessed { " (inferred from the code; an earlier version kept the sample)" } else { "" };
    let rule = match sample.limit.as_str() {
        "" => format!("{}{guess}", ground.words()),
        limit => format!("{}: {limit}", ground.words()),
    };
    let all = RefusalQuery { code: Some(code.to_string()), key: sample.key.map(|k| k.to_string()), ..RefusalQuery::default() }.link(place.path);
    let checked = view! { <Chain posts sample=sample.clone() api=api.clone()/> };
    view! {
        <aside class="card panel" id="opened" aria-labelledby="h-opened">
            <div class="card-head">
                <h2 id="h-opened" class="truncate">{title}</h2>
                <span class="push"><IconLink icon=Icon::Close label="Close" href=back size=Size::Small/></span>
            </div>
            <div class="card-body stack">
                <Note gate=code.group().into()><b class="strong">{code.as_str()}"."</b>" "{why}</Note>
                {like_it}
                {checked}
                {told.map(answer)}
                <section class="stack-sm" aria-labelledby="h-next">
                    <h3 id="h-next">"What to do"</h3>
                    <p>{next_step(ground, held_by)}</p>
                    {meters.into_iter().map(meter).collect_view()}
                    {place_to_go(ground, own, place)}
                </section>
                <Facts>
                    <Fact term="Rule">{rule}</Fact>
                    <Fact term="Request"><CopyId id="request-id" text=sample.request_id/></Fact>
                    <Fact term="Time"><time datetime=sample.at>{moment}</time></Fact>
                    <Fact term="Key">{key}</Fact>
                    {api.map(|api| view! { <Fact term="API">{api}</Fact> })}
                    <Fact term="Route"><code>{sample.route}</code></Fact>
                    <Fact term="From"><code>{if sample.address.is_empty() { "unknown".to_owned() } else { sample.address }}</code></Fact>
                </Facts>
            </div>
            <div class="card-foot"><a href=all>{format!("All samples of {code}")}</a></div>
        </aside>
    }
    .into_any()
}

/// What went back to the program, where a proxy asked.
fn answer(told: Told) -> AnyView {
    let is_limit = told.status == 429;
    let more = match (told.is_derived, is_limit) {
        (true, _) => " When to come back is worked out from the limit, which has not changed since.",
        (false, true) => " Samples do not hold Retry-After and the RateLimit fields.",
        (false, false) => "",
    };
    let lines = told.lines();
    view! {
        <section class="stack-sm" aria-labelledby="h-told">
            <h3 id="h-told">"What the program was told"</h3>
            <div class="code"><pre class="wrap">{lines}</pre></div>
            <p class="help">"By a proxy. A service that asks gets the code and chooses its own answer."{more}</p>
        </section>
    }
    .into_any()
}

/// A limit as it stands now: when calls pass again.
fn meter(meter: LimitMeter) -> AnyView {
    let by = if meter.is_shared { " by all keys together" } else { "" };
    let resets = Some(meter.resets()).filter(|resets| !resets.is_empty()).map(|resets| format!("; {resets}")).unwrap_or_default();
    let words = match meter.is_credits {
        true => format!("{} left of {} credits now{resets}.", thousands(meter.remaining), thousands(meter.limit)),
        false => format!("{} of {} {} used now{by}{resets}.", thousands(meter.used), amount(&meter, meter.limit), meter.window),
    };
    view! { <p class="muted">{words}</p> }.into_any()
}

/// What to do about it. `held_by`: the limit that held it, where it is still there.
const fn next_step(ground: Ground, held_by: Option<(LimitKind, OverAction)>) -> &'static str {
    match ground {
        Ground::AddressBlocked => {
            "This address is blocked: all its calls are refused, whatever the key, until the block ends or an operator lifts it. If the address is yours, look at what it sent before: many unknown secrets or refusals cause such a block."
        }
        Ground::AddressSlowed => {
            "A block lets only so many calls a second from this address pass; the key was not looked at. Call less often, or ask an operator to lift the block."
        }
        Ground::Form => "The secret was cut off or mistyped. Copy all of it into the program again.",
        Ground::Unknown => "No key has this secret. It may belong to another installation, or a rotation dropped it.",
        Ground::Secret => "The key was rotated and this secret has ended. Put the new secret into the program, or rotate again if it is lost.",
        Ground::Revoked => "A revoked key never passes again. Create a new key and put its secret into the program.",
        Ground::OwnerBanned => "The owner of the key may not make calls. An operator can change that on the owner's account.",
        Ground::Disabled => "Enable the key on its page, or remove it from the program that still uses it.",
        Ground::KeyBlocked => {
            "Calls of the key or its workspace are blocked until the block ends or an operator lifts it under Blocks; the owner is not banned. Look at what the key sent before: many refused calls, or calls from many places, cause such a block."
        }
        Ground::Expiry => "Set a later expiry on the key's page, or use another key in the program.",
        Ground::Address => "If this address is yours, add it to the key's addresses. If not, somebody else has the secret: rotate the key.",
        Ground::Origin => "If the web page is yours, add its origin to the key. If not, somebody put your secret into their page: rotate the key.",
        Ground::Api => "Use a key that was made for this API. The program is probably set up with a key for another one.",
        Ground::Route => "The API has no such route and refuses these calls. Correct the method or the path, or ask an operator to add the route.",
        Ground::Path => "The path of the call can't be read, or the proxy did not send it. Send it as the API describes it; no permission is missing.",
        Ground::Unread => "The server had not read the API's routes yet, for example just after a start. Send the same call again a second later.",
        Ground::Permission => "Give the key the permission that the call needs, or remove the call from the program.",
        Ground::KeyRoute => {
            "The key may only call the routes on its list. Add this one on the key's page, or remove the call from the program. A service that asks must say which route was called."
        }
        Ground::Unsigned => "Calls of this key must be signed. Sign them in the program, or stop requiring signatures on the key's page.",
        Ground::Signature => {
            "The signature is not valid: a different signing key, a change on the way, a wrong clock, or a call sent twice. Sign a call on the key's page and compare it with what the program sends."
        }
        Ground::KeySlowed => {
            "A block lets only so many calls a second of the key or its workspace pass; no limit is used up. Call less often, or ask an operator to lift the block."
        }
        Ground::Limit => room(held_by),
    }
}

/// When a limit has room again, and what helps.
const fn room(held_by: Option<(LimitKind, OverAction)>) -> &'static str {
    match held_by {
        Some((_, OverAction::Throttle { .. })) => {
            "Beyond the limit, calls pass more slowly. Send the call again a second later. If this happens often, spread the calls or ask for a higher limit."
        }
        Some((LimitKind::Fixed, _)) => "Calls pass again when the limit resets. If this happens often, spread the calls or ask for a higher limit.",
        Some((LimitKind::Rolling, _)) => {
            "Calls pass again bit by bit, as earlier use leaves the window. If this happens often, spread the calls or ask for a higher limit."
        }
        Some((LimitKind::Credits, _)) => "Calls pass again when credits come back or an operator adds some. If this happens often, ask for more credits.",
        Some((LimitKind::Concurrent, _)) => {
            "Calls pass again as soon as a running one ends. If this happens often, make fewer calls at the same time or ask for a higher limit."
        }
        None => "Calls pass again when the limit has room. If this happens often, spread the calls or ask for a higher limit.",
    }
}

/// Where it is done: blocks by operators, the rest on the page of the key, if there is one.
fn place_to_go(ground: Ground, key: Option<String>, place: Place) -> AnyView {
    let is_block = matches!(ground, Ground::AddressBlocked | Ground::AddressSlowed | Ground::KeyBlocked | Ground::KeySlowed);
    if is_block && place == Place::ALL {
        return view! { <div><LinkButton href="/admin/blocks" size=Size::Small>"See the blocks"</LinkButton></div> }.into_any();
    }
    let Some(key) = key else { return ().into_any() };
    let is_page = key.starts_with("/keys/");
    let part = |name: &str| if is_page { format!("{key}#{name}") } else { key.clone() };
    let (label, href) = match ground {
        Ground::Limit => ("See the limits", part("limits-title")),
        Ground::Address => ("Addresses of the key", part("settings")),
        Ground::Origin => ("Web pages of the key", part("settings")),
        Ground::Permission => ("Permissions of the key", part("settings")),
        Ground::KeyRoute => ("Routes of the key", part("settings")),
        Ground::Expiry => ("Expiry of the key", part("settings")),
        _ => ("Open the key", key.clone()),
    };
    view! { <div><LinkButton href size=Size::Small>{label}</LinkButton></div> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_is_of_the_rule_and_not_of_the_code() {
        let next_step = |ground| next_step(ground, None);
        let gives = |ground| next_step(ground).contains("Give the key the permission");
        assert_eq!(Ground::ALL.into_iter().filter(|ground| gives(*ground)).collect::<Vec<_>>(), [Ground::Permission]);
        assert!(next_step(Ground::KeyBlocked).contains("the owner is not banned") && next_step(Ground::KeySlowed).contains("no limit is used up"));
        assert!(next_step(Ground::AddressBlocked).starts_with("This address is blocked"));
    }

    #[test]
    fn the_advice_about_a_limit_is_of_its_kind() {
        let of = |kind, over| next_step(Ground::Limit, Some((kind, over)));
        let said: std::collections::HashSet<&str> = LimitKind::ALL.into_iter().map(|kind| of(kind, OverAction::Refuse)).collect();
        assert_eq!(said.len(), LimitKind::ALL.len());
        assert!(of(LimitKind::Concurrent, OverAction::Refuse).contains("a running one ends") && of(LimitKind::Credits, OverAction::Refuse).contains("credits"));
        assert!(of(LimitKind::Fixed, OverAction::Throttle { per_second: 5 }).contains("a second later"));
        assert!(next_step(Ground::Limit, None).contains("when the limit has room"), "nothing is known of a limit that is gone");
    }
}
