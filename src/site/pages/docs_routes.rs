//! The part of `/docs` about routes: patterns, which one counts, what is refused; and the routes that a key may call.

use crate::ui::{CodeBlock, SiteOrigin};
use leptos::prelude::*;

const PUT: &str = r#"curl -X PUT http://127.0.0.1:3000/api/v1/apis/demo/routes \
  -H "Authorization: Bearer $OPERATOR_KEY" -H "Content-Type: application/json" \
  -d '{"routes": [
    {"method": "GET",  "path": "/orders",      "permission": "orders:read"},
    {"method": "GET",  "path": "/orders/{id}", "permission": "orders:read"},
    {"method": "POST", "path": "/orders",      "permission": "orders:write", "cost": 5},
    {"method": "GET",  "path": "/health",      "quota": "none"}
  ]}'"#;

const PATCH: &str = r#"curl -X PATCH http://127.0.0.1:3000/api/v1/keys/$KEY_ID \
  -H "Authorization: Bearer $OWN_KEY" -H "Content-Type: application/json" \
  -d '{"routes": ["GET /orders/{id}", "* /reports/*"]}'"#;

/// Pattern and what it matches.
const PATTERNS: [(&str, &str); 4] = [
    ("/orders", "this path, with or without a slash at its end"),
    ("/orders/{id}", "one segment in place of {id}: /orders/17, not /orders nor /orders/17/items"),
    ("/files/{path...}", "/files and everything below it; /files/* is the same"),
    ("/*", "every path"),
];

pub fn routes() -> AnyView {
    let patterns = PATTERNS.into_iter().map(|(pattern, words)| view! { <tr><th scope="row"><code>{pattern}</code></th><td>{words}</td></tr> }).collect_view();
    view! {
        <h2 id="routes">"What calls need"</h2>
        <p>"An operator says once what the calls of an API need, on its page under Admin, by REST or by "<code>"tollgate api route add"</code>": a method and a path pattern, a permission, a cost, or no quota. The gate then knows what a call needs from the path that the proxy tells ("<code>"X-Forwarded-Uri"</code>", for nginx "<code>"X-Original-URI"</code>") or that your code sends as "<code>"route"</code>", and the proxy's configuration need not say it."</p>
        <CodeBlock id="routes-put" title="The routes of an API, all at once" code=SiteOrigin::in_example(PUT)/>
        <div class="table-wrap"><table class="table"><caption class="visually-hidden">"Path patterns"</caption>
            <thead><tr><th scope="col">"Pattern"</th><th scope="col">"Matches"</th></tr></thead>
            <tbody>{patterns}</tbody>
        </table></div>
        <p>"The most specific route counts, segment by segment from the left: a word before a parameter, a parameter before a tail; on the same path the named method before "<code>"*"</code>", any. A route for another method does not count. "<code>"HEAD"</code>" is the route of "<code>"GET"</code>" unless it has its own. The order in the list means nothing, and many routes take no longer than few."</p>
        <p>"A permission in the question ("<code>"permission"</code>", "<code>"?permission="</code>") is needed beside that of the route: the key must have both. A cost in the question ("<code>"cost"</code>") takes the place of the route's. A route without quota is verified and shown in Usage, but charged to no limit and never refused for one."</p>
        <p>"What no route matches passes without a permission and costs 1, unless the API refuses it: "<code>"FORBIDDEN"</code>". An API without routes looks at no path."</p>
        <p>"A path that servers read in different ways is not matched but refused, "<code>"FORBIDDEN"</code>" with the reason: "<code>"."</code>" and "<code>".."</code>", an empty segment ("<code>"//"</code>"), an encoded slash or a backslash, a semicolon, a control character, an encoding that is broken or done twice (RFC 3986 §2.1), and a spelling that differs from a route in case only. A proxy that does not tell the path is refused too. Everything else is decoded once, after the path was cut at its slashes: "<code>"/%6Frders"</code>" is "<code>"/orders"</code>". Queries do not count. If your API takes a method from a header ("<code>"X-HTTP-Method-Override"</code>"), let the proxy remove it."</p>
        <h2 id="key-routes">"Routes of a key"</h2>
        <p>"A key may call every route that its permissions allow, unless it has a list of routes: on its page, when it is made, as "<code>"routes"</code>" over REST, by "<code>"--route"</code>", in lists of new keys and imported. Each is a method and a pattern as above, "<code>"GET /orders/{id}"</code>" or "<code>"* /reports/*"</code>", at most 50. The list takes away and gives nothing: a call needs its permission and a match in the list, both. What is not on it is "<code>"FORBIDDEN"</code>" with the reason, shown under Requests as "<code>"key_route"</code>", and charged to no limit. “Would this call pass?” says it beforehand."</p>
        <CodeBlock id="key-routes-patch" title="A key for orders and reports only" code=SiteOrigin::in_example(PATCH)/>
        <ul>
            <li>"The list is matched with the path that was called, whether or not the API describes routes; a parameter stands for any segment. A path that servers read in different ways is refused."</li>
            <li>"A question without "<code>"route"</code>", or with one that is no method and path, is "<code>"FORBIDDEN"</code>" for a key with a list, and so is a call whose proxy does not tell the path."</li>
            <li>"A key for Tollgate itself is held by its list, too: "<code>"GET /api/v1/usage"</code>", or "<code>"* /api/v1/keys/key_…/*"</code>" for one key. It makes no other key for Tollgate itself and lets none do more, so there is no way around the list; its own secret it may rotate, if that is on it."</li>
            <li>"A change is in force on every node when it is answered, as a permission's is; a new secret of the key has the same list."</li>
        </ul>
        <p>"Usage names a call by its route: "<code>"GET /orders/{id}"</code>". A changed route is in force on every node when the answer is there, as a revocation is; a node that has not confirmed within two seconds is named ("<code>"spread"</code>")."</p>
    }
    .into_any()
}
