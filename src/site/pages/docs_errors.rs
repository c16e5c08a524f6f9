//! The part of `/docs` about errors: what a problem document holds, the id of a request, and why something is not answered now (503).

use crate::values::NotNow;
use leptos::prelude::*;

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

/// Why something is not answered now, each at the anchor of its `type`: `/docs` itself, where types lead, shows it, too.
pub fn not_now() -> AnyView {
    let row = |why: NotNow| {
        let anchor = why.kind().strip_prefix("/docs#").unwrap_or_default();
        view! { <tr id=anchor><th scope="row"><code>{why.as_str()}</code></th><td>{why.title()}". "{advice(why)}</td></tr> }
    };
    let rows = NotNow::ALL.into_iter().map(row).collect_view();
    view! {
        <div class="table-wrap"><table class="table"><caption class="visually-hidden">"Why something is not answered now"</caption>
            <thead><tr><th scope="col">"Code"</th><th scope="col">"What it means, and what to do"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table></div>
        <p>"What is refused while the database is away, kind by kind: "<a href="/docs/operate#outages">"Without the database"</a>"."</p>
    }
    .into_any()
}

pub fn errors() -> AnyView {
    view! {
        <h2 id="errors">"Errors"</h2>
        <p>"Every error, of whatever makes it, is a problem document (RFC 9457): "<code>"type"</code>", "<code>"title"</code>", "<code>"status"</code>", "<code>"detail"</code>" with the next step, "<code>"request_id"</code>", and "<code>"errors"</code>" with the pointer of each wrong field. So it is also for a method that a route does not take (405; "<code>"Allow"</code>" names the others), a body over 256 kB (413), a badly encoded path (400), and what took longer than "<code>"server.request_timeout"</code>" (504: look whether it was done before you send it again; 408 if the request itself had not come whole by then). A browser that goes to a page gets a page with it instead. 401, and 403 where a permission is missing, say it in "<code>"WWW-Authenticate"</code>", too, as RFC 6750 has it: "<code>"error=\"invalid_token\""</code>", or "<code>"error=\"insufficient_scope\""</code>" with the permission as "<code>"scope"</code>". Where a key was sent that lets nobody in, "<code>"detail"</code>" says why and "<code>"code"</code>" names it as a verification does: "<code>"REVOKED"</code>", "<code>"EXPIRED"</code>", "<code>"WRONG_API"</code>"."</p>
        <h2 id="not-now">"429 and 503"</h2>
        <p>"A limit that is used up is 429 with the type "<code>"https://iana.org/assignments/http-problem-types#quota-exceeded"</code>" and the names of the limits in "<code>"violated-policies"</code>". What can't be answered now is 503 with "<code>"Retry-After"</code>"; its "<code>"code"</code>" and "<code>"type"</code>" ("<code>"/docs#error-cut-off"</code>") say why, and at "<code>"/forward-auth"</code>" so does "<code>"X-Auth-Code"</code>". The type is a reference relative to this page's host, wherever a proxy shows it. None of them is a refusal, and none charges anything:"</p>
        {not_now()}
        <h2 id="request-id">"The id of a request"</h2>
        <p>"One rule: every answer to a request that could be read carries "<code>"X-Request-Id"</code>", whatever answers it (a page, REST, the gate, a file, a refusal), and so does every line of the log and every sample under Requests. What is no HTTP at all, or has a head that is too long, is answered a bare 400, 414 or 431 without it, and so is the listener for metrics. The id may come from you or your proxy, if it has 8 to 64 letters of ASCII, digits, - and _; in place of anything else a new one is made. It names a request and proves nothing: nobody may rely on it being unique, and nothing is decided by it."</p>
    }
    .into_any()
}
