//! The part of `/docs` about calls beyond a limit: refused, slowed down, or marked.

use crate::ui::{CodeBlock, SiteOrigin};
use leptos::prelude::*;

const SET: &str = r#"tollgate key set-limit key_01KAYV7QRE4Z5H8N2M3P6T9WXY --limit 1000 --window day --over throttle:5
tollgate plan set-limit pro --name month --window month --limit 200000 --over mark@2027-01-31
tollgate plan set-limit pro --name pack --window credits --limit 5000 --over mark
curl -X PUT http://127.0.0.1:3000/api/v1/apis/demo/limits \
  -H "Authorization: Bearer $OPERATOR_KEY" -H "Content-Type: application/json" \
  -d '{"limits": [{"name": "day", "limit": 1000, "window": "day", "over": {"action": "throttle", "per_second": 5, "until": "2027-01-31T00:00:00Z"}}]}'"#;

pub fn over() -> AnyView {
    view! {
        <h2 id="over">"Beyond a limit"</h2>
        <p>"A limit refuses what is beyond it, unless it says otherwise: over REST as "<code>"over"</code>", on the command line as "<code>"--over"</code>", in the forms of limits as Beyond it, under More."</p>
        <ul>
            <li><code>"refuse"</code>": the call is answered 429 until the window ends, or credits come back."</li>
            <li><code>"throttle"</code>": exactly "<code>"per_second"</code>" calls (1 to 1,000,000) pass in each second beyond the limit, whatever each costs, on all servers together; a second begins where the clock's does. The others are answered "<code>"RATE_LIMITED"</code>", also beyond a quota, with "<code>"Retry-After: 1"</code>". Where several servers share the limit, what passes in a second is leased as limits are: never more than so many pass, and less where a server holds some that it does not use. In the second of a restart up to twice as many may pass."</li>
            <li><code>"mark"</code>": every call passes."</li>
        </ul>
        <p>"The answer of a call that passed beyond a limit names it: "<code>"\"over\": [\"day\"]"</code>" at "<code>"/keys/verify"</code>", the header "<code>"X-Over-Limit: \"day\""</code>" at "<code>"/forward-auth"</code>" (a list of strings, RFC 9651; strip it from what clients send). One limit that refuses is enough for a refusal, which charges no other. With "<code>"until"</code>" it holds until that moment; from then on the limit refuses."</p>
        <CodeBlock id="over-set" title="Slow down, mark, with an end or without" code=SiteOrigin::in_example(SET)/>
        <p>"What passes beyond a limit is added to what was used of it, so the page of a key and Usage show 1,240 of 1,000. On several servers each shows what passed beyond on itself, and all of it after a restart. Of "<a href="/docs/limit-kinds#credits">"credits"</a>" nothing of it is taken from what is left; each server shows what passed without any on itself since the last refill, or since some were added there, and a restart forgets that number. Every such call stands in Usage, as all that passed."</p>
    }
    .into_any()
}
