//! The start of `/docs`: what Tollgate is, the way to a protected API, and what stands on the other pages.

use super::{
    docs_errors,
    docs_pages::{DOCS, Doc, DocPart},
    docs_verify,
};
use crate::ui::{CodeBlock, SiteOrigin};
use leptos::prelude::*;

const GATE: &str = r#"curl -i http://127.0.0.1:3000/forward-auth/demo \
  -H "Authorization: Bearer demo_live_…" \
  -H "X-Forwarded-Method: GET" -H "X-Forwarded-Uri: /orders""#;

pub fn start() -> AnyView {
    view! {
        <p>"Tollgate is the front office of an API: people sign up, make keys, and see what they use and what is left. Of every call your proxy or your code asks it one question: may this one pass?"</p>

        <h2 id="start">"Quick start"</h2>
        <h3 id="make-a-key">"1. Make a key"</h3>
        <p>"On "<a href="/keys">"Keys"</a>": a name and Enter. It is what who calls your API sends with each call. Its secret is shown once, and looks like "<code>"demo_live_…"</code>"."</p>
        <h3 id="ask">"2. Ask whether a call may pass"</h3>
        <p>"The service that asks has a key of its own: for the API "<code>"tollgate"</code>", with the permission "<code>"keys:verify"</code>", which operators may give. The answer has "<code>"valid"</code>", and a "<code>"code"</code>" that says why: see "<a href="/docs/verify">"By your code"</a>"."</p>
        <CodeBlock id="start-ask" title="Question" code=SiteOrigin::in_example(docs_verify::VERIFY)/>
        <h3 id="put-it-before">"3. Put the gate before your API"</h3>
        <p>"Then your code need not ask: the proxy before it sends the headers of each call to "<code>"/forward-auth/{api}"</code>", and lets pass what is answered 200. See by hand what it is told, then take over one of the four whole files for nginx, Caddy, Traefik and Envoy under "<a href="/docs/proxies">"By a proxy"</a>"."</p>
        <CodeBlock id="start-gate" title="As a proxy asks" code=SiteOrigin::in_example(GATE)/>
        <p>"Each call is drawn on "<a href="/usage">"Usage"</a>" within seconds: passed, limited or refused."</p>

        <h2 id="pages">"What stands where"</h2>
        {DOCS.iter().map(part).collect_view()}
        <p>"Every route of REST, with what it takes and answers, stands in the "<a href="/docs/api">"API reference"</a>"."</p>

        <h2 id="types">"Types of problems"</h2>
        <p>"What can't be answered now is 503, and the "<code>"type"</code>" of its problem document leads to a line here. What else an error says stands under "<a href="/docs/errors">"Errors and REST"</a>"."</p>
        {docs_errors::not_now()}
    }
    .into_any()
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
