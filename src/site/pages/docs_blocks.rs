//! The part of `/docs` about blocks and the rules that make them: who is refused or slowed, for how long, what is counted.

use crate::{
    ui::{CodeBlock, SiteOrigin},
    values::AbuseRule,
};
use leptos::prelude::*;

const POST: &str = r#"curl -X POST http://127.0.0.1:3000/api/v1/blocks \
  -H "Authorization: Bearer $OPERATOR_KEY" -H "Content-Type: application/json" \
  -d '{"target": "203.0.113.0/24", "reason": "Tries keys", "seconds": 3600}'

tollgate block add 203.0.113.0/24 --reason "Tries keys" --for 1h"#;

const SLOW: &str = r#"curl -X POST http://127.0.0.1:3000/api/v1/blocks \
  -H "Authorization: Bearer $OPERATOR_KEY" -H "Content-Type: application/json" \
  -d '{"target": "mara@example.com", "reason": "Scrapes", "action": "slow", "per_second": 5, "seconds": 86400}'

tollgate block add mara@example.com --reason "Scrapes" --slow 5 --for 24h"#;

const RULE: &str = r#"curl -X PATCH http://127.0.0.1:3000/api/v1/block-rules/refusals \
  -H "Authorization: Bearer $OPERATOR_KEY" -H "Content-Type: application/json" \
  -d '{"on": true, "most": 600, "minutes": 1, "action": "slow", "per_second": 5, "seconds": 600, "mails": true}'

tollgate block set-rule refusals --on true --then slow --per-second 5 --for 10m --mails true"#;

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
        <h2 id="blocks">"Blocks"</h2>
        <p>"An operator (permission "<code>"blocks:manage"</code>") blocks an address, a network, a key, a whole workspace, or an account (its workspace) in Admin › Blocks, over REST or on the command line: for 1 second to 366 days, or until somebody lifts the block. A network of IPv4 is /8 to /32, of IPv6 /16 to /64; one IPv6 address stands for its /64. Of one target one block that refuses and one that slows are in force at most; blocking it again makes that one longer, never shorter. While both are, refusing wins."</p>
        <CodeBlock id="blocks-post" title="An hour without a network" code=SiteOrigin::in_example(POST)/>
        <p>"Calls from a blocked address are answered "<code>"IP_DENIED"</code>" before their key is looked up, calls of a blocked key or workspace "<code>"BANNED"</code>"; "<code>"detail"</code>" says until when, and "<code>"retry_after"</code>" in how many seconds. Tollgate's own API and a proxy answer 403 with the type "<code>"https://iana.org/assignments/http-problem-types#abnormal-usage-detected"</code>", "<code>"block-address"</code>" or "<code>"block-key"</code>" in "<code>"violated-policies"</code>", and "<code>"Retry-After"</code>" where the block ends by itself. The reason is for operators and is not told. Blocking and lifting answer when every node has confirmed, as revoking does; over REST "<code>"spread"</code>" says which have ("<code>"POST /api/v1/blocks/{id}/lift"</code>" for lifting), as it does after a change of a rule or of the networks under Never blocked. A block ends by the clock, and its row stays in the list for 30 days after. It holds calls, not people: who is signed in reaches the pages all the same."</p>
        <h2 id="slow">"Slowing in place of refusing"</h2>
        <p>"With "<code>"slow"</code>" a target may pass 1 to 10,000 calls in a second. What is beyond is answered "<code>"RATE_LIMITED"</code>" with "<code>"retry_after"</code>" 1, or the seconds until this server's turn where the rate is smaller than the number of servers (a proxy gets 429 with the same as "<code>"Retry-After"</code>"), uses up no limit, and names "<code>"slow-key"</code>", "<code>"slow-workspace"</code>" or "<code>"slow-address"</code>" among the limits and in "<code>"violated-policies"</code>"; a service whose own key or address is slowed is answered 429 with the same. The owner of the key reads on its page what is slowed or blocked and until when, not why."</p>
        <CodeBlock id="blocks-slow" title="A day at five calls a second for an account" code=SiteOrigin::in_example(SLOW)/>
        <p>"Calls are counted, not cost units, by the seconds of the clock: exactly the rate passes in each second, so around the edge of two seconds up to twice the rate within one. Of a key or a workspace only calls count that pass everything else; a question with "<code>"cost"</code>" 0 counts nothing. Of an address every call counts, guesses of keys among them, and beyond the rate no key is looked up. Several nodes divide the rate among those that are alive; what can't be parted evenly goes round from node to node, second by second. So together they pass the rate and no more, also where it is smaller than their number; less where calls reach them unevenly. A node that joins answers its first call after the others have taken their smaller share."</p>
        <h2 id="held">"Who is held, and who never"</h2>
        <p>"The address is that of the end client: what your code sends as "<code>"ip"</code>", or what a trusted proxy ("<code>"TOLLGATE_TRUSTED_PROXIES"</code>") tells. Loopback, the trusted proxies and the networks under Never blocked are held by no block; and nobody can block the address they come from, the key they call with, or their own workspace."</p>
        <h2 id="abuse-rules">"Abuse rules"</h2>
        <div class="table-wrap"><table class="table"><caption class="visually-hidden">"Abuse rules"</caption>
            <thead><tr><th scope="col">"Rule"</th><th scope="col">"Counts"</th><th scope="col">"At first"</th></tr></thead>
            <tbody>{rules.collect_view()}</tbody>
        </table></div>
        <p>"Rules block by themselves. Each has a number that is allowed, minutes in which it is counted (1 to 60), what it does (refuse, slow, or only tell: a line in the list, an event and a mail, not again for as long as a block would last), and for how long (1 minute to 366 days). What a block refuses is not counted again. Counting happens beside the answer, in memory, on each node for itself: windows begin at multiples of their length since 1970, so around the edge of two windows up to twice the number may pass. Several nodes divide the number of calls evenly among those that are alive, each share rounded up: together they allow no more than the number and one less for each than there are nodes, and less where calls reach them unevenly, so give it room if yours do. Networks are not divided, since every node sees those of a key whose calls reach them all. The block is written a moment after the answer that was one too many, and holds on every node within a second. What many addresses or keys do at once is counted in places of fixed number (16,384 addresses and as many keys; 4,096 keys for networks): where they run out, who called least is forgotten first, so a count may be too small and is never too large. At most 10,000 blocks by rules are in force."</p>
        <CodeBlock id="blocks-rule" title="Slow a key whose calls are refused too often" code=SiteOrigin::in_example(RULE)/>
        <p>"What a rule tells goes by mail to every account that may block; of what it refuses or slows only if the rule says so ("<code>"mails"</code>"). Each finding is told once; the first within a minute, and those that follow together, at most one mail in 10 minutes with the newest 10 of them. "<code>"GET /api/v1/block-rules"</code>" and "<code>"tollgate block rules"</code>" list the rules; "<code>"/api/v1/block-exemptions"</code>" and "<code>"tollgate block set-exemptions"</code>" hold the networks under Never blocked."</p>
    }
    .into_any()
}
