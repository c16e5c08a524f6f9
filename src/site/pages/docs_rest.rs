//! The part of `/docs` on what all REST routes have in common: errors, lists, requests sent twice; and what browsers are answered.

use leptos::prelude::*;

pub fn rest() -> AnyView {
    view! {
        <h2 id="rest">"REST in general"</h2>
        <p>"The routes stand in the "<a href="/docs/api">"reference"</a>". Every error, of whatever makes it, is a problem document (RFC 9457): "<code>"type"</code>", "<code>"title"</code>", "<code>"status"</code>", "<code>"detail"</code>" with the next step, "<code>"request_id"</code>", and "<code>"errors"</code>" with the pointer of each wrong field. So it is also for a method that a route does not take (405; "<code>"Allow"</code>" names the others), a body over 256 kB (413), a badly encoded path (400), and what took longer than "<code>"server.request_timeout"</code>" (504: look whether it was done before you send it again). The same id is in the header "<code>"X-Request-Id"</code>", which may also come from you, and in every line of the log. A browser that goes to a page gets a page with it instead."</p>
        <p>"A key has its own limits. Without one an account may make 600 requests in a minute, with pages and with programs that signed in together ("<code>"TOLLGATE_ACCOUNT_RATE"</code>", 0 for any number), and where nobody is signed in an address may make 1,200, of IPv6 its /64 ("<code>"TOLLGATE_ADDRESS_RATE"</code>"): all at once, then as many as come back, on each server. Every answer tells it in "<code>"RateLimit-Policy"</code>" and "<code>"RateLimit"</code>" as "<code>"account"</code>" or "<code>"address"</code>"; one too many is answered 429 with "<code>"Retry-After"</code>". Questions to the gate, files and "<code>"/healthz"</code>" are free. Behind a proxy set "<code>"TOLLGATE_TRUSTED_PROXIES"</code>", or all who come through it share one address."</p>
        <p>"Lists answer "<code>"data"</code>", "<code>"has_more"</code>" and "<code>"next_cursor"</code>". Ask with "<code>"limit"</code>", 1 to 100, and with "<code>"cursor"</code>", which is the "<code>"next_cursor"</code>" of the page before. A word in a query that a list does not know is answered 422."</p>
        <p>"An "<code>"Idempotency-Key"</code>" makes "<code>"POST /api/v1/keys"</code>", "<code>"/keys/batch"</code>" and "<code>"…/credits"</code>" safe to send twice. What has a name of its own is made once without it: an API, plan or group whose slug is taken is refused by that field, and a ban or block that is there is answered as it is."</p>
    }
    .into_any()
}
