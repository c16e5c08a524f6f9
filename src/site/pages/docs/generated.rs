//! What the pages of the docs take from the code, so that they can't differ: `<!-- generated: codes -->` in their text.

use super::book::{DOCS, Doc, DocPart};
use crate::{
    ui::CodeBlock,
    values::{AbuseRule, NotNow, Outcome},
};
use leptos::prelude::*;

/// The part that a line of the text asks for; none if it asks for none, or for one that there is not (`src/tests/web/docs.rs`).
pub fn named(line: &str) -> Option<String> {
    let name = line.trim().strip_prefix("<!-- generated: ")?.strip_suffix(" -->")?;
    let part = match name {
        "pages" => DOCS.iter().map(part).collect_view().into_any(),
        "codes" => codes(),
        "not-now" => not_now(),
        "abuse-rules" => abuse_rules(),
        "nginx.conf" => file("nginx", "nginx: nginx.conf", include_str!("../../../../examples/orders/nginx.conf")),
        "Caddyfile" => file("caddy", "Caddy: Caddyfile", include_str!("../../../../examples/orders/Caddyfile")),
        "traefik.yaml" => file("traefik", "Traefik 3: traefik.yaml", include_str!("../../../../examples/orders/traefik.yaml")),
        "envoy.yaml" => file("envoy", "Envoy: envoy.yaml", include_str!("../../../../examples/orders/envoy.yaml")),
        _ => return None,
    };
    Some(part.to_html())
}

/// A file of `examples/orders` as it stands. The tests run the first two and play what the other two send by their sources.
fn file(id: &'static str, title: &'static str, text: &'static str) -> AnyView {
    view! { <CodeBlock id title code=text.trim_end()/> }.into_any()
}

fn part(part: &DocPart) -> AnyView {
    let pages = part.pages.iter().map(page).collect_view();
    view! { <h3>{part.title}</h3><ul class="docs-list">{pages}</ul> }.into_any()
}

/// Its sections have the ids here that they have there: what links to one from when all stood on this page comes to where it went.
fn page(doc: &Doc) -> AnyView {
    let section = |(n, (id, words)): (usize, &(&'static str, &'static str))| {
        let dot = (n > 0).then_some(" · ");
        view! { {dot}<a id=*id href=format!("{}#{id}", doc.path())>{*words}</a> }
    };
    let sections = doc.sections.iter().enumerate().map(section).collect_view();
    view! {
        <li>
            <p><a class="strong" href=doc.path()>{doc.title}</a>": "{doc.summary}</p>
            <p class="small">{sections}</p>
        </li>
    }
    .into_any()
}

fn codes() -> AnyView {
    let rows = Outcome::ALL.into_iter().map(|outcome| view! { <tr><th scope="row"><code>{outcome.as_str()}</code></th><td>{outcome.sentence()}</td></tr> });
    table("Outcome codes", &["Code", "What the holder is told"], rows.collect_view().into_any())
}

/// Why something is not answered now, each at the anchor of its `type`: `/docs` itself, where types lead, shows it, too.
fn not_now() -> AnyView {
    let row = |why: NotNow| {
        let anchor = why.kind().strip_prefix("/docs#").unwrap_or_default();
        view! { <tr id=anchor><th scope="row"><code>{why.as_str()}</code></th><td>{why.title()}". "{advice(why)}</td></tr> }
    };
    let rows = NotNow::ALL.into_iter().map(row).collect_view().into_any();
    table("Why something is not answered now", &["Code", "What it means, and what to do"], rows)
}

/// What to do about it, and who meets it.
const fn advice(why: NotNow) -> &'static str {
    match why {
        NotNow::Starting => {
            "Send it again. A new server reads all keys before it answers, which takes seconds; “/readyz” says when it is done, and a load balancer waits for that."
        }
        NotNow::DatabaseAway => {
            "Send it again; nothing was done. Pages, REST and the first use of an imported secret need the database; verifications go on from memory (“Without the database”). “/status” and “/readyz” say how it does."
        }
        NotNow::CutOff => {
            "Ask another server, or again later. This one has not reached the database for TOLLGATE_DATABASE_OUTAGE, so it may not know what was revoked. It answers again as soon as it has read what changed."
        }
        NotNow::LimitsUnknown => {
            "Send the call again as it is: it was charged nothing. It stays while the database is away and what this server had leased of a limit, or of credits, is used up. See “Without the database”."
        }
        NotNow::SignatureUnknown => {
            "Send the call again as it is: its signature was not used up. It stays while the database is away, if another server may have seen the nonce."
        }
        NotNow::Overloaded => {
            "Wait as long as it says and send it again; more at once make it longer. Passwords, pictures and imported bcrypt and Argon2 secrets take work, of which only so much is done at once and waited for."
        }
        NotNow::Busy => "Send it again: somebody else did the same at this moment, or something on the way was not ready.",
    }
}

fn abuse_rules() -> AnyView {
    let rows = AbuseRule::ALL.into_iter().map(|name| {
        let (what, first) = rule(name);
        view! { <tr><th scope="row"><code>{name.as_str()}</code></th><td>{what}</td><td>{first}</td></tr> }
    });
    table("Abuse rules", &["Rule", "Counts", "At first"], rows.collect_view().into_any())
}

/// What each rule counts, and how it is set at first.
const fn rule(rule: AbuseRule) -> (&'static str, &'static str) {
    match rule {
        AbuseRule::UnknownKeys => {
            ("secrets that no key has, or that are none, from one address (IPv4 /32, IPv6 /64)", "on: more than 100 a minute, 10 minutes")
        }
        AbuseRule::Refusals => ("refused calls of one key: for a limit, a missing permission, a route or the wrong API", "off; 600 a minute, 10 minutes"),
        AbuseRule::Spread => ("networks that one key is used from (IPv4 /24, IPv6 /48)", "off; 20 in 10 minutes, only tells"),
    }
}

fn table(caption: &'static str, heads: &'static [&'static str], rows: AnyView) -> AnyView {
    let heads = heads.iter().map(|head| view! { <th scope="col">{*head}</th> }).collect_view();
    view! {
        <div class="table-wrap"><table class="table"><caption class="visually-hidden">{caption}</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows}</tbody>
        </table></div>
    }
    .into_any()
}
