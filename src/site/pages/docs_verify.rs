//! The part of `/docs` about code that asks: the question, its answer, and the codes.

use crate::{
    ui::{CodeBlock, SiteOrigin},
    values::Outcome,
};
use leptos::prelude::*;

/// The start shows it, too.
pub const VERIFY: &str = r#"curl http://127.0.0.1:3000/api/v1/keys/verify \
  -H "Authorization: Bearer $SERVICE_KEY" \
  -H "Content-Type: application/json" \
  -d '{"key": "demo_live_…", "api": "demo", "permission": "orders:read", "route": "GET /orders"}'"#;

const ANSWER: &str = r#"{
  "valid": true,
  "code": "VALID",
  "api": "demo",
  "key_id": "key_01KAYV7QRE4Z5H8N2M3P6T9WXY",
  "account_id": "acc_01KAYV7QRD1B6C9F4G7J2K5N8Q",
  "workspace_id": "ws_01KAYV7QRD3R5S8T1V4W7X0Y6Z",
  "plan": "default",
  "permissions": ["orders:read"],
  "limits": [{"name": "default", "limit": 100, "remaining": 99, "reset_after": 2711}],
  "external_id": "customer-42",
  "meta": {"team": "checkout"}
}"#;

pub fn verify() -> AnyView {
    view! {
        <h2 id="verify">"Question and answer"</h2>
        <p>"The asking service has a key of its own: for the API "<code>"tollgate"</code>", with the permission "<code>"keys:verify"</code>". Asking has no limit."</p>
        <CodeBlock id="verify-call" title="Question" code=SiteOrigin::in_example(VERIFY)/>
        <CodeBlock id="verify-answer" title="Answer" code=ANSWER/>
    }
    .into_any()
}

pub fn codes() -> AnyView {
    let outcomes = Outcome::ALL
        .into_iter()
        .map(|outcome| view! { <tr><th scope="row"><code>{outcome.as_str()}</code></th><td>{outcome.sentence()}</td></tr> })
        .collect_view();
    view! {
        <h2 id="codes">"Codes"</h2>
        <div class="table-wrap"><table class="table"><caption class="visually-hidden">"Outcome codes"</caption>
            <thead><tr><th scope="col">"Code"</th><th scope="col">"What the holder is told"</th></tr></thead>
            <tbody>{outcomes}</tbody>
        </table></div>
    }
    .into_any()
}
