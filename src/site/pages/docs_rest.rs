//! The part of `/docs` on what all REST routes have in common: errors, lists, requests sent twice; and what browsers are answered.

use leptos::prelude::*;

pub fn rest() -> AnyView {
    view! {
        <h2 id="rest">"REST in general"</h2>
        <p>"The routes stand in the "<a href="/docs/api">"reference"</a>". What goes wrong is told as "<a href="#errors">"Errors"</a>" says, and every answer names its request ("<a href="#request-id">"X-Request-Id"</a>")."</p>
        <p>"A key has its own limits. Without one an account may make 600 requests in a minute, with pages and with programs that signed in together ("<code>"TOLLGATE_ACCOUNT_RATE"</code>", 0 for any number), and where nobody is signed in an address may make 1,200, of IPv6 its /64 ("<code>"TOLLGATE_ADDRESS_RATE"</code>"): all at once, then as many as come back, on each server. Every answer tells it in "<code>"RateLimit-Policy"</code>" and "<code>"RateLimit"</code>" as "<code>"account"</code>" or "<code>"address"</code>"; one too many is answered 429 with "<code>"Retry-After"</code>". Questions to the gate, files and "<code>"/healthz"</code>" are free. Behind a proxy set "<code>"TOLLGATE_TRUSTED_PROXIES"</code>", or all who come through it share one address."</p>
        <p>"Lists answer "<code>"data"</code>", "<code>"has_more"</code>" and "<code>"next_cursor"</code>". Ask with "<code>"limit"</code>", 1 to 100, and with "<code>"cursor"</code>", which is the "<code>"next_cursor"</code>" of the page before. Where there is more, the address of the next page stands in "<code>"Link"</code>" (RFC 8288, "<code>"rel=\"next\""</code>"), with everything that you asked for. A word in a query that a list does not know is answered 422, and so is a cursor with other filters than those that it came with."</p>
        <h2 id="idempotency-key">"Requests sent twice"</h2>
        <p>"Every POST that creates or adds something or starts a job takes the header "<code>"Idempotency-Key"</code>" (draft-ietf-httpapi-idempotency-key-header): 1 to 255 visible ASCII characters, in double quotes or not. Take a new random text, such as a UUID, for each thing that you want, and send it again with the same body when no answer came."</p>
        <ul>
            <li>"It is done once, however often and by however many at once it is sent. What is made and that it was made are written in one transaction, so this also holds when a server goes down."</li>
            <li>"Sent again, the answer is that of the first time, with "<code>"Idempotency-Replayed: true"</code>". An answer that held a secret (a new key, a list of them, a rotation) is stored nowhere: then it is 409, and "<code>"Location"</code>" names the new key. Rotate it if its secret got lost. Answers are kept up to 64 KiB each, and of one account the newest 16 MiB, each counted as 1 KiB at least; of one that is not kept the second is 409 too, with "<code>"Location"</code>" where the first had it."</li>
            <li>"409 with "<code>"Retry-After"</code>": the first one is still being done. 409 without: it was done, but its answer got lost when a server went down; look at what it made."</li>
            <li>"422: the Idempotency-Key belongs to a request with another body. A request that was refused leaves it free: mend the body and send it again."</li>
            <li>"It stands for its request for 24 hours, at one address, for the key that sent it; of programs that signed in, for that program; of people, for the account. Only of credits added to a limit it stands for good, whoever sends it."</li>
        </ul>
        <p>"Sign-up, forgotten passwords and tokens know nobody yet, so they take none. PUT, PATCH and DELETE, and POSTs that only set a state (disable, revoke, lift), say the same when they are sent twice. What has a name of its own is made once also without the header: an API, plan or group whose slug is taken is refused by that field, and a ban or block that is there is answered as it is."</p>
    }
    .into_any()
}
