//! The secrets on `/keys/{id}`: who uses which, how often, and when the old ones end.

use crate::{
    keys::{
        api::ExtendSecret,
        components::SaidTime,
        model::{KeyDetail, MissedSecret, SecretCalls, SecretUser, SecretView},
    },
    ui::{
        ACT, Gate, GateGlyph, Icon, Menu, MenuAct, MenuLink, MenuRule, Table,
        chart::Sparkline,
        folded, heads,
        number::{count, thousands},
    },
    values::link,
};
use leptos::{prelude::*, server_fn::ServerFn};

/// What programs send; during a rotation more than one.
pub fn secrets(detail: &KeyDetail) -> AnyView {
    let has_several = detail.secrets.len() > 1;
    let lead = match detail.secrets.len() {
        0 => "No secret is accepted.",
        1 => "Only its hash is stored. If it is lost or leaked, rotate the key.",
        _ => {
            "All of these are accepted while you switch over. The key keeps its history and limits. Calls are counted per secret since the rotation, passed or not, in steps of 15 minutes."
        }
    };
    let key = detail.key.id.to_string();
    let can_edit = detail.can_edit;
    let users = detail.secrets.iter().filter(|s| !s.is_newest).filter_map(users).collect_view();
    let missed = (!detail.missed.is_empty()).then(|| missed(&detail.missed));
    let rows = detail.secrets.iter().cloned().map(|s| secret(s, &key, can_edit)).collect_view();
    let mut columns = vec![("Secret", ""), ("Last used", ""), ("Since", "col-4"), ("Accepted until", "col-2"), ACT];
    if has_several {
        columns.insert(2, ("Last 24 hours", "col-4"));
    }
    let head = heads(&columns);
    view! {
        <section id="secrets" aria-labelledby="secrets-title">
            <div class="section-head"><h2 id="secrets-title">"Secrets"</h2><p>{lead}</p></div>
            <div class="stack">
                <Table caption="Secrets of this key, newest first">
                    {head}
                    <tbody>{rows}</tbody>
                </Table>
                {users}
                {missed}
            </div>
        </section>
    }
    .into_any()
}

fn secret(secret: SecretView, key: &str, can_edit: bool) -> AnyView {
    let menu = (can_edit && !secret.is_newest).then(|| menu(&secret, key));
    let folded_until = match (secret.until.clone(), secret.until_first_use) {
        (None, _) => (2, "", "No end".into_any()),
        (Some(said), false) => (2, "Accepted until", view! { <SaidTime said/> }.into_any()),
        (Some(said), true) => (2, "Accepted until", view! { "the new one is used, at the latest "<SaidTime said/> }.into_any()),
    };
    let facts = vec![folded_until, (4, "Since", view! { <SaidTime said=secret.since.clone()/> }.into_any())];
    let (mut words, mut spark) = (None, None);
    if let Some(of) = &secret.calls {
        let name = format!("Calls with {}…", secret.start);
        let points: Vec<_> = of.hours.iter().map(|hour| (hour.passed, hour.limited, hour.refused)).collect();
        spark = Some(view! { <td class="col-4"><Sparkline name points time="last 24 hours"/></td> }.into_any());
        words = Some(calls(of));
    }
    let until = match (secret.until, secret.until_first_use) {
        (None, _) => view! { <span class="faint">"No end"</span> }.into_any(),
        (Some(said), false) => view! { <SaidTime said/> }.into_any(),
        (Some(said), true) => {
            view! { <span class="cell-2"><span>"the new one is used"</span><span class="small muted">"at the latest "<SaidTime said/></span></span> }.into_any()
        }
    };
    let safe = |words: String| view! { <span class="row flex-nowrap"><GateGlyph position=Gate::Passed tinted=true/>{words}</span> }.into_any();
    let used = match (secret.is_newest, secret.is_missed, secret.quiet, secret.last_use) {
        (false, true, Some(idle), _) => safe(format!("No call for {idle}: safe to drop")),
        (false, false, Some(idle), _) => safe(format!("No call since the rotation, {idle} ago: safe to drop")),
        (false, false, None, _) => {
            view! { <span class="row flex-nowrap"><GateGlyph position=Gate::Idle tinted=true/>"No call since the rotation yet"</span> }.into_any()
        }
        (false, true, None, Some(last)) => {
            let by = (!last.by.is_empty()).then(|| format!(" from {}", last.by));
            view! { <span class="row flex-nowrap"><GateGlyph position=Gate::Limited tinted=true/><span>"Still used "<SaidTime said=last.at/>{by}</span></span> }
                .into_any()
        }
        (_, _, _, Some(last)) => view! { <span class="cell-2"><SaidTime said=last.at/><span class="small muted">{last.by}</span></span> }.into_any(),
        (_, _, _, None) => view! { <span class="faint">"never"</span> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row"><code>{secret.start}"…"</code>{folded(facts)}</th>
            <td>{used}{words}</td>
            {spark}
            <td class="col-4"><SaidTime said=secret.since/></td>
            <td class="col-2">{until}</td>
            <td class="cell-more">{menu}</td>
        </tr>
    }
    .into_any()
}

/// How often it is sent; only while there are several secrets.
fn calls(calls: &SecretCalls) -> AnyView {
    let (day, hour) = (count(calls.last_day().total(), "call", "calls"), thousands(calls.last_hour().total()));
    view! { <div class="small muted">{day}" in 24 hours, "{hour}" in the last hour"</div> }.into_any()
}

/// Who still sends an old secret; nothing where nobody does.
fn users(secret: &SecretView) -> Option<AnyView> {
    let calls = secret.calls.as_ref().filter(|calls| !calls.users.is_empty())?;
    let known = calls.users.iter().filter(|user| !user.address.is_empty()).count() as u64;
    let rows = calls.users.iter().cloned().map(user_row).collect_view();
    let since = calls.users_since.as_ref().map_or_else(|| "the rotation".to_owned(), |since| since.words.clone());
    let caption = format!("Addresses that sent {}… since {since}, most calls first", secret.start);
    let from = if known > 0 { format!(", from {}", count(known, "address", "addresses")) } else { String::new() };
    let summary = format!("Who sent {}… since {since}{from}", secret.start);
    let view = view! {
        <details open=true>
            <summary>{summary}</summary>
            <div class="stack-sm">
                <Table caption small=true>
                    {heads(&[("Address and routes", ""), ("Calls", "num"), ("Last", "")])}
                    <tbody>{rows}</tbody>
                </Table>
            </div>
        </details>
    };
    Some(view.into_any())
}

/// Secrets that have ended and that somebody still sends.
fn missed(secrets: &[MissedSecret]) -> AnyView {
    let row = |secret: MissedSecret| {
        let by = (!secret.last_use.by.is_empty()).then(|| view! { <span class="small muted">{secret.last_use.by}</span> });
        view! {
            <tr>
                <th scope="row"><code>{secret.start}"…"</code></th>
                <td><SaidTime said=secret.ended/></td>
                <td><span class="cell-2"><SaidTime said=secret.last_use.at/>{by}</span></td>
            </tr>
        }
    };
    let rows = secrets.iter().cloned().map(row).collect_view();
    let summary = format!("{} still sent, answered EXPIRED", count(secrets.len() as u64, "ended secret is", "ended secrets are"));
    view! {
        <details open=true>
            <summary>{summary}</summary>
            <div class="stack-sm">
                <Table caption="Ended secrets that are still sent, the last sent first" small=true>
                    {heads(&[("Secret", ""), ("Ended", ""), ("Last sent", "")])}
                    <tbody>{rows}</tbody>
                </Table>
            </div>
        </details>
    }
    .into_any()
}

fn user_row(user: SecretUser) -> AnyView {
    let address = match (user.is_rest, user.address.is_empty()) {
        (true, _) => view! { <span class="muted">"Others"</span> }.into_any(),
        (false, true) => view! { <span class="muted">"Not reported"</span> }.into_any(),
        (false, false) => view! { <code>{user.address}</code> }.into_any(),
    };
    let mut routes = user.routes.into_iter().filter(|route| route != "-").collect::<Vec<_>>().join(", ");
    if user.more_routes > 0 {
        routes = format!("{routes} and {} more", thousands(user.more_routes));
    }
    let routes = (!routes.is_empty()).then(|| view! { <span>{routes}</span> });
    view! {
        <tr>
            <th scope="row"><span class="cell-2"><span>{address}</span>{routes}</span></th>
            <td class="num">{thousands(user.calls.total())}</td>
            <td><SaidTime said=user.last/></td>
        </tr>
    }
    .into_any()
}

/// For an old secret: later or earlier, or at once, which asks first.
fn menu(secret: &SecretView, key: &str) -> AnyView {
    const ENDS: [(&str, &str); 4] = [
        ("3600", "Accept for 1 hour from now"),
        ("86400", "Accept for 24 hours from now"),
        ("2592000", "Accept for 30 days from now"),
        ("first_use", "Accept until the new one is used"),
    ];
    let (id, label) = (format!("menu-{}", secret.id), format!("More for {}", secret.start));
    let this = vec![("id", key.to_owned()), ("secret", secret.id.to_string())];
    let href = link(&format!("/keys/{key}"), [("dialog", "drop"), ("secret", secret.id.to_string().as_str())]);
    let ends = ENDS.map(|(grace, label)| {
        let fields = [this.clone(), vec![("grace", grace.to_owned())]].concat();
        view! { <MenuAct action=ExtendSecret::PATH fields icon=Icon::Rotate label/> }
    });
    view! {
        <Menu id label>
            {ends.into_iter().collect_view()}
            <MenuRule/>
            <MenuLink href icon=Icon::Trash label="Drop" danger=true/>
        </Menu>
    }
    .into_any()
}
