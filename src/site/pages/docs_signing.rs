//! The parts of `/docs` about web pages that use a key (origins, CORS) and about signed requests.

use crate::ui::{CodeBlock, SiteOrigin};
use leptos::prelude::*;

const TURN_ON: &str = r#"openssl genpkey -algorithm ed25519 -out private.pem
curl -X PUT http://127.0.0.1:3000/api/v1/keys/key_…/signing \
  -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \
  -d "{\"algorithm\": \"ed25519\", \"public_key\": \"$(openssl pkey -in private.pem -pubout -outform DER | tail -c 32 | base64)\"}""#;

const SIGNED: &str = r#"POST /orders?page=2 HTTP/1.1
Host: api.example.com
Authorization: Bearer demo_live_…
Content-Digest: sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:
Signature-Input: sig1=("@method" "@target-uri" "content-digest");created=1795089600;keyid="key_…";nonce="Jq7d2mXw0Zk5Tn8bRc3VfA"
Signature: sig1=:…:"#;

const UPSTREAM: &str = r#"import base64, hashlib, hmac

def body_is_signed(body: bytes, content_digest: str) -> bool:
    told = dict(part.strip().split("=", 1) for part in content_digest.split(","))
    for name, algorithm in (("sha-512", "sha512"), ("sha-256", "sha256")):
        if name in told:
            digest = base64.b64decode(told[name].strip(":"))
            return hmac.compare_digest(digest, hashlib.new(algorithm, body).digest())
    return False"#;

const VERIFY: &str = r#"{"key": "demo_live_…", "api": "demo", "route": "POST /orders", "origin": "https://app.example.com",
 "signature": {
   "method": "POST", "url": "https://api.example.com/orders?page=2",
   "headers": {"content-digest": "sha-256=:…:", "signature-input": "sig1=(…)…", "signature": "sig1=:…:"},
   "body_sha256": "5f8f04f6a3a892aaabbddb6cf273894493773960d4a325b105fee46eef4304f1"}}"#;

/// What a refusal says, and what to do.
const FAULTS: [(&str, &str); 7] = [
    ("Calls of this key must be signed", "send Signature-Input and Signature"),
    ("older than five minutes, ahead of this server's clock", "sign when you send; set the clock"),
    ("was used before", "a new nonce for each call, also when you try again"),
    ("does not cover …", "sign what is named; Accept-Signature lists it all"),
    ("covers something that did not reach the gate", "the proxy changes or drops a signed field: sign fewer, or let it tell them"),
    ("No signature names this key", "keyid is the id of the key, key_…"),
    ("is wrong", "compare what you sign with “What is signed” on the page Sign a call"),
];

pub fn origins() -> AnyView {
    view! {
        <h2 id="origins">"Web pages"</h2>
        <p>"A key that stands in a web page can be read by who visits it. Give it few permissions, and name the origins (RFC 6454) of the pages that may use it, on its page, as "<code>"origins"</code>" over REST or by "<code>"--origin"</code>": "<code>"https://app.example.com"</code>", with scheme and, if it is not the usual one, port; "<code>"https://*.example.com"</code>" is one more label; at most 20. A call whose "<code>"Origin"</code>" is another is answered "<code>"FORBIDDEN"</code>", and Requests shows from where it came; "<code>"null"</code>" is never allowed. A call without "<code>"Origin"</code>" comes from no page and passes: programs can send what they like, so this keeps other sites away, not other programs. Who asks by code sends "<code>"origin"</code>"."</p>
        <p>"The answer of "<code>"/forward-auth"</code>" to a named origin carries "<code>"Access-Control-Allow-Origin"</code>" and "<code>"Access-Control-Expose-Headers"</code>", which your proxy may hand on. Before most calls a browser asks whether it may make them ("<code>"OPTIONS"</code>" with "<code>"Access-Control-Request-Method"</code>", a preflight), without the key. Such a question is refused like every call without a key, unless an operator has the API answer preflights (Admin › APIs, "<code>"answers_preflights"</code>"): then 200 with "<code>"Access-Control-Allow-Origin"</code>", "<code>"-Methods"</code>", "<code>"-Headers"</code>" and "<code>"-Max-Age"</code>" (5 minutes) if any active key of the API names the origin, else 403."</p>
        <p>"The files for "<a href="/docs/proxies#files">"nginx, Caddy and Envoy"</a>" hand these fields to the browser. Caddy answers a preflight itself; behind nginx and Envoy your service answers "<code>"OPTIONS"</code>", with 204 or anything below 300. Traefik asks about preflights, too, but can't hand these fields to the browser where a call passes: its own middleware "<code>"headers"</code>" can name the origins and answer preflights. A page reads only what "<code>"Access-Control-Expose-Headers"</code>" names: every answer to a named origin has it, with "<code>"RateLimit"</code>", "<code>"RateLimit-Policy"</code>", "<code>"Retry-After"</code>", "<code>"X-Request-Id"</code>", "<code>"WWW-Authenticate"</code>", "<code>"Accept-Signature"</code>", "<code>"X-Auth-Code"</code>", "<code>"ETag"</code>", "<code>"Link"</code>", "<code>"Location"</code>" and what else REST tells in headers."</p>
        <p>"Tollgate's own REST API is for programs and for its own pages: no other site may read its answers, unless a key for "<code>"tollgate"</code>" names that site's origin. Cookies never count there."</p>
    }
    .into_any()
}

pub fn signed() -> AnyView {
    let faults = FAULTS.into_iter().map(|(says, words)| view! { <tr><th scope="row">{says}</th><td>{words}</td></tr> }).collect_view();
    view! {
        <h2 id="signed">"Signed requests"</h2>
        <p>"A key can ask that its calls are signed (HTTP Message Signatures, RFC 9421). Then the key alone is of no use to who finds it, a call can't be altered on its way, and none can be sent a second time. Turn it on under Signed requests on the key's page or by REST: with an ed25519 public key, whose private key never leaves you, or with a secret for HMAC-SHA-256, which Tollgate shows once and keeps encrypted under the master key. It holds on every node when it is answered."</p>
        <CodeBlock id="sign-on" title="Turn it on" code=SiteOrigin::in_example(TURN_ON)/>
        <CodeBlock id="sign-call" title="A signed call" code=SIGNED/>
        <ul>
            <li>"Signed must be "<code>"@method"</code>"; one of "<code>"@target-uri"</code>", "<code>"@request-target"</code>" and "<code>"@path"</code>" (with "<code>"@path"</code>" and a query also "<code>"@query"</code>"); and "<code>"content-digest"</code>" for "<code>"POST"</code>", "<code>"PUT"</code>" and "<code>"PATCH"</code>", with or without a body, and for whatever else has a body or that field (RFC 9530; sha-256 or sha-512). "<code>"@authority"</code>", "<code>"@scheme"</code>" and other header fields may be (RFC 9421 §2); component parameters and "<code>"@query-param"</code>" are not read."</li>
            <li>"The parameters are "<code>"created"</code>", "<code>"keyid"</code>" (the id of the key) and "<code>"nonce"</code>" (16 to 128 characters); "<code>"alg"</code>" and "<code>"expires"</code>" are checked if they are there (§2.3)."</li>
            <li>"A signature counts from "<code>"created"</code>" for 300 seconds; a clock may be 60 seconds ahead. Each nonce of a key counts once, on all nodes together. A signature is looked at last: a call that is refused for something else, limits aside, uses none up, nor does a wrong one. Without the database only a server that was alone for minutes knows whether a nonce is new ("<a href="/docs/operate#outages">"Without the database"</a>"); else such a call is answered 503 with "<code>"Retry-After"</code>" (for nginx 403 with "<code>"X-Auth-Status: 503"</code>"), and may be sent again as it is."</li>
            <li>"The bytes of a signing secret are its text as it was shown, prefix included."</li>
        </ul>
        <p>"A call that is not signed so is "<code>"FORBIDDEN"</code>", 403, with the reason in "<code>"detail"</code>" and what to sign in "<code>"Accept-Signature"</code>" (§5.1):"</p>
        <div class="table-wrap"><table class="table"><caption class="visually-hidden">"What a refusal says"</caption>
            <thead><tr><th scope="col">"It says"</th><th scope="col">"Do"</th></tr></thead>
            <tbody>{faults}</tbody>
        </table></div>
        <p>"Behind a proxy the gate sees the head of a call, not its body. Method, path and host come from "<code>"X-Forwarded-Method"</code>", "<code>"-Uri"</code>", "<code>"-Host"</code>" and "<code>"-Proto"</code>", from nginx as "<code>"X-Original-…"</code>"; the files for the "<a href="/docs/proxies#files">"proxies"</a>" tell them all. So your service must compare the signed "<code>"Content-Digest"</code>" with the body that it got, for each call that has one:"</p>
        <CodeBlock id="digest" title="Python" code=UPSTREAM/>
        <p>"Who asks by code sends the call as it was signed; with "<code>"body_sha256"</code>" the digest is compared too. Calls of Tollgate's own REST API are checked with their body."</p>
        <CodeBlock id="verify-signed" title="POST /api/v1/keys/verify" code=VERIFY/>
    }
    .into_any()
}
