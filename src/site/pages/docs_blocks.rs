//! The part of `/docs` about blocks and the rules that make them: who is refused, for how long, what is counted.

use crate::{ui::CodeBlock, values::AbuseRule};
use leptos::prelude::*;

const POST: &str = r#"curl -X POST http://127.0.0.1:3000/api/v1/blocks \
  -H "Authorization: Bearer $OPERATOR_KEY" -H "Content-Type: application/json" \
  -d '{"target": "203.0.113.0/24", "reason": "Tries keys", "seconds": 3600}'

tollgate block add 203.0.113.0/24 --reason "Tries keys" --for 1h"#;

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

pub fn blocks() -> AnyView {
    let rules = AbuseRule::ALL.into_iter().map(|name| {
        let (what, first) = rule(name);
        view! { <tr><th scope="row"><code>{name.as_str()}</code></th><td>{what}</td><td>{first}</td></tr> }
    });
    view! {
        <h2 id="blocks">"Blocks and abuse rules"</h2>
        <p>"An operator (permission "<code>"blocks:manage"</code>") blocks an address, a network, a key or a whole workspace in Admin › Blocks, over REST or on the command line: for 1 second to 366 days, or until somebody lifts the block. A network of IPv4 is /8 to /32, of IPv6 /16 to /64; one IPv6 address stands for its /64. Of one target one block is in force at most; blocking it again makes that one longer, never shorter."</p>
        <CodeBlock id="blocks-post" title="An hour without a network" code=POST/>
        <p>"Calls from a blocked address are answered "<code>"IP_DENIED"</code>" before their key is looked up, calls of a blocked key or workspace "<code>"BANNED"</code>"; "<code>"detail"</code>" says until when, and "<code>"retry_after"</code>" in how many seconds. A proxy gets 403 with "<code>"Retry-After"</code>". The reason is for operators and is not told. Blocking and lifting answer when every node has confirmed, as revoking does. A block ends by the clock, and its row stays in the list for 30 days after. It holds calls, not people: who is signed in reaches the pages all the same."</p>
        <p>"The address is that of the end client: what your code sends as "<code>"ip"</code>", or what a trusted proxy ("<code>"TOLLGATE_TRUSTED_PROXIES"</code>") tells. Loopback, the trusted proxies and the networks under Never blocked are refused by no block; and nobody can block the address they come from, the key they call with, or their own workspace."</p>
        <div class="table-wrap"><table class="table"><caption class="visually-hidden">"Abuse rules"</caption>
            <thead><tr><th scope="col">"Rule"</th><th scope="col">"Counts"</th><th scope="col">"At first"</th></tr></thead>
            <tbody>{rules.collect_view()}</tbody>
        </table></div>
        <p>"Rules block by themselves. Each has a number that is allowed, minutes in which it is counted (1 to 60), what it does (block, or only tell: a line in the list and an event, not again for as long as a block would last), and for how long (1 minute to 366 days). Counting happens beside the answer, in memory, on each node for itself: windows begin at multiples of their length since 1970, so around the edge of two windows up to twice the number may pass, and with several nodes that many times the number. The block is written a moment after the answer that was one too many, and holds on every node within a second. What many addresses or keys do at once is counted in places of fixed number (16,384 addresses and as many keys; 4,096 keys for networks): where they run out, who called least is forgotten first, so a count may be too small and is never too large. At most 10,000 blocks by rules are in force."</p>
    }
    .into_any()
}
