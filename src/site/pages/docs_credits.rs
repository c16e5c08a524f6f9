//! The part of `/docs` about credits.

use crate::ui::{CodeBlock, SiteOrigin};
use leptos::prelude::*;

const SET: &str = r#"tollgate key set-limit key_01KAYV7QRE4Z5H8N2M3P6T9WXY --limit 1000 --window credits:100/hour
curl -X PUT http://127.0.0.1:3000/api/v1/apis/demo/limits \
  -H "Authorization: Bearer $OPERATOR_KEY" -H "Content-Type: application/json" \
  -d '{"limits": [{"name": "pack", "limit": 5000, "window": "credits"}]}'"#;

const ADD: &str = r#"tollgate key add-credits key_01KAYV7QRE4Z5H8N2M3P6T9WXY --units 500 --name default --once invoice-4711
curl -X POST http://127.0.0.1:3000/api/v1/keys/key_01KAYV7QRE4Z5H8N2M3P6T9WXY/limits/default/credits \
  -H "Authorization: Bearer $OPERATOR_KEY" -H "Content-Type: application/json" -H "Idempotency-Key: invoice-4711" \
  -d '{"units": 500, "reason": "invoice 4711"}'"#;

pub fn credits() -> AnyView {
    view! {
        <h2 id="credits">"Credits"</h2>
        <p>"Credits are used up and come back bit by bit, as a token bucket does: of a limit of N, N cost units can be used at once, and R more come back every interval, never beyond N. They are written "<code>"credits:R/interval"</code>": "<code>"credits:100/hour"</code>", or the interval in seconds up to 31 days, "<code>"credits:100/3600"</code>". "<code>"credits"</code>" alone is prepaid: nothing comes back by itself, an operator adds some. (“Full again at the start of each day or month”, also in a time zone, is what the windows "<code>"day"</code>" and "<code>"month"</code>" do.) The forms of limits offer them under Of what, those of new plans and groups as Credits; how many come back each time is a field of its own, under More."</p>
        <CodeBlock id="credits-set" title="Set a limit of credits" code=SiteOrigin::in_example(SET)/>
        <ul>
            <li>"Algorithm: a bucket that is refilled at multiples of the interval since 1970, UTC. The bound: from any refill to any other no more passes than N, R for each refill between them, and what operators added, under any concurrency and on any number of servers."</li>
            <li>"A call that costs more than is left is refused and charged nothing: "<code>"QUOTA_EXCEEDED"</code>" where credits are prepaid or come back once a day or more seldom, else "<code>"RATE_LIMITED"</code>". Or it passes, marked or slowed down, where the limit says so ("<a href="/docs/limits#over">"Beyond a limit"</a>"). Then it takes nothing either: what is left stays for calls that cost less, the bucket never falls below zero, and the next refill or the next credits that an operator adds are there in full. Exactly what the bucket holds is charged before the first mark, on several servers less what another one holds at that moment and has not used."</li>
            <li><code>"Retry-After"</code>" says when enough is back for the refused call, as far as nobody else takes it. "<code>"t"</code>" of the RateLimit fields and "<code>"reset_after"</code>" say when the next refill comes, "<code>"w"</code>" the time in which an empty bucket fills. Of prepaid credits these fields are left out, and "<code>"reset_after"</code>" is 0 (1 where calls beyond them are slowed down and none are left); "<code>"r"</code>" and "<code>"remaining"</code>" are more than the limit where more was added."</li>
            <li>"The bucket is a row of the database, which every server leases blocks of, also one that is alone: as many as its present pace uses in two seconds, a quarter of what is left at most, and only until the next refill. The first call after a refill waits for one statement. What is not used goes back with the next question, after five idle seconds, or when the server stops. So a restart loses nothing; a server that is killed takes with it what it held, until that is refilled; of prepaid credits for good: add them. Where the database does not answer, a server that is alone goes on from what it knows to be left, refills included, and tells what passed once it is back, to the unit; of several, each uses up its block, then answers 503 ("<a href="/docs/operate#outages">"Without the database"</a>")."</li>
            <li>"A bucket belongs to the key, or to the workspace whose keys share the limit, and to the name of the limit. It stays as it is when N or R change, and when the limit is taken away and set again; under another interval credits come back by that from then on."</li>
            <li>"Mails tell when 20 % are left and when they are used up, or at marks of your own: once a day, of prepaid ones once since some were added. “Who would be limited?” leaves them out."</li>
            <li>"Usage says when they are used up at the pace of the last seven days (or since the first call in these, six hours ago at least), with what comes back until then, if that is within half a year; so does the file of its limits ("<code>"used_up"</code>"). What passed without credits counts for the pace, too. Credits that all come back within an hour are not forecast. What many keys share it knows by hours, from the day on that they share it."</li>
        </ul>
        <h3 id="add-credits">"Add credits"</h3>
        <p>"On the page of a key, by command line and over REST, for who may manage keys. What is added may go beyond N and stays until it is used. It can be used at once on the server that added it, on others within about a second. It stands in the key's history; with an "<code>"Idempotency-Key"</code>" (or "<code>"--once"</code>") the same request adds once for good, not only for a day."</p>
        <CodeBlock id="credits-add" title="Add 500 credits" code=SiteOrigin::in_example(ADD)/>
    }
    .into_any()
}
