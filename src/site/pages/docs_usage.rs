//! The part of `/docs` about usage: how calls are counted, how long they took, files, and mails before a limit is used up.

use crate::ui::CodeBlock;
use leptos::prelude::*;

const LATENCIES: &str = r#"curl http://127.0.0.1:3000/api/v1/usage/latencies \
  -H "Authorization: Bearer $SERVICE_KEY" -H "Content-Type: application/json" \
  -d '{"latencies": [
    {"key_id": "key_01KAYV7QRE4Z5H8N2M3P6T9WXY", "route": "GET /orders/17", "milliseconds": 12.5},
    {"key_id": "key_01KAYV7QRE4Z5H8N2M3P6T9WXY", "route": "POST /orders", "milliseconds": 80, "at": "'"$(date -u +%FT%TZ)"'"}
  ]}'"#;

const EXPORT: &str = r#"curl http://127.0.0.1:3000/api/v1/exports \
  -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \
  -d '{"of": "usage", "format": "csv", "filters": {"range": "year", "bucket": "day"}}'
curl http://127.0.0.1:3000/api/v1/exports/exp_01KAYV7QRE4Z5H8N2M3P6T9WXY -H "Authorization: Bearer $KEY"
curl -O -J http://127.0.0.1:3000/api/v1/exports/exp_01KAYV7QRE4Z5H8N2M3P6T9WXY/file -H "Authorization: Bearer $KEY""#;

pub fn usage() -> AnyView {
    view! {
        <h2 id="usage">"Usage"</h2>
        <p>"Every answer is counted by key, route, outcome and minute, before it leaves: in memory, and in a file of the data folder that outlives the process. Every two seconds the counts go to Postgres, each batch once. While Postgres is away nothing is refused for it and nothing is lost; after a "<code>"kill -9"</code>" the next start writes what was left, and limits go on from there: a restart neither forgets nor doubles what the calls of a window cost. A limit of less than a minute begins anew, so in the window of a restart up to twice its calls may pass. A power cut may take what the system had not written to disk, a few seconds. Refusals on the page Requests are samples: in a minute each server keeps one for each key, code, rule and address (IPv6 by its /64), at most 8 of a key and a code, and of all keys 1,000 between two writes; the counts are not samples."</p>

        <p>"A call counts once; what it costs is counted beside it, in units ("<a href="/docs#routes">"costs of routes"</a>"). Where a call that passed cost more or less than one unit, Usage shows units by key and by route, and "<code>"GET /api/v1/usage"</code>" answers "<code>"units"</code>" for each bucket. Of a workspace with more than 500 keys Usage offers those that were used or made last, and the chosen one; a part of a name finds any other: one key that has it is taken, of several you choose. “Nearest to their limit” looks at the keys that are offered."</p>
        <p>"Usage and Errors stand beside an earlier time as long, if you like: the time before ("<code>"compare=before"</code>"), a year ago ("<code>"year"</code>"; of weeks 52 of them, so that a Monday is compared with a Monday) or one that begins on a day of your own ("<code>"compare=2025-11-01"</code>"). Of a day that is not over as much is compared as has passed of it. Exports of such a view hold both, told apart by "<code>"period"</code>"."</p>

        <h2 id="addresses">"From where calls came"</h2>
        <p>"Where the asking service sends the caller's address as "<code>"ip"</code>", or a trusted proxy tells it, Usage also shows calls by address: IPv4 whole, IPv6 by its /64 ("<code>"GET /api/v1/usage/addresses"</code>", the filter "<code>"address"</code>", "<code>"by=address"</code>" in exports). The counts by key, route and outcome are exact; by address they are a part of them, so that nobody can fill memory or disk with addresses. Of a key 64 pairs of address and outcome are counted until the next write, two seconds later, and 100,000 of all keys together; of a quarter of an hour that is over the 100 busiest addresses of a key are kept. What finds no room is counted all the same and stands under “Others, or not told”, and so is the address of calls in the two seconds before a "<code>"kill -9"</code>". Addresses are kept for 30 days. Calls are counted by route or by address, not by both."</p>

        <h2 id="permissions-used">"What calls needed"</h2>
        <p>"Usage also shows calls by permission: what the route of a call needs, and what the asking service names ("<code>"permission"</code>" of "<code>"/keys/verify"</code>" and "<code>"/forward-auth"</code>"), of calls that passed or that only a limit held ("<code>"GET /api/v1/usage/permissions"</code>", the filter "<code>"permission"</code>", "<code>"by=permission"</code>" in exports). A call may need two and then counts for both, so these rows add up to nothing. They are kept for 30 days; of one key, route, outcome and minute at most 64 are counted, and those of calls in the two seconds before a "<code>"kill -9"</code>" are lost, unless a route names them. The page of a key holds them against what it was given, and offers to take away what no call needed. It says so only of what would have been seen: of a permission that a route names or that services ask for, counted for 30 days or as long as the key is there. A service that reads "<code>"permissions"</code>" of an answer and decides by itself is not seen; so are keys for Tollgate's own API."</p>

        <h2 id="latencies">"How long calls took"</h2>
        <p>"Tollgate sees the question, not your service's answer. A service may tell how long its calls took, up to 1,000 at once, with the key that it verifies with ("<code>"keys:verify"</code>"); Usage then shows p50, p95 and p99, also over time, and "<code>"GET /api/v1/usage"</code>" answers "<code>"latency"</code>" in milliseconds. A route is named as calls are counted. A call may be told of a day later; sent twice, it counts twice. Keys that are not known are left out and counted in the answer."</p>
        <CodeBlock id="latencies-post" title="Two calls" code=LATENCIES/>
        <p>"Times are counted on a logarithmic scale: buckets that end at 2^(i/4) times 0.1 ms, up to an hour. A percentile is that of the nearest rank, told as the middle of its bucket, so it is at most 10 % off; what took less than 0.1 ms is told as 0.1 ms. Percentiles of several keys, routes or days are read from the sum of their counts, never averaged. The counts are kept as long as usage, two years. They wait in memory for at most two seconds, for longer only while Postgres is away; a "<code>"kill -9"</code>" loses those, as they are no bill. A node keeps 100,000 counters until the next write; what finds no room is "<code>"dropped"</code>" and said in the answer."</p>

        <h2 id="refusals">"Refusals in detail"</h2>
        <p>"The page Requests lists samples of calls that did not pass, with the rule that refused: the code tells a program what it may know, the rule tells you what to do. "<code>"FORBIDDEN"</code>" may be "<code>"permission"</code>", "<code>"origin"</code>", "<code>"route"</code>", "<code>"path"</code>", "<code>"unsigned"</code>" or "<code>"signature"</code>"; "<code>"IP_DENIED"</code>" may be "<code>"address"</code>" (not among the key's) or "<code>"address_blocked"</code>"; "<code>"BANNED"</code>" may be "<code>"owner_banned"</code>" or "<code>"key_blocked"</code>"; "<code>"EXPIRED"</code>" may be "<code>"expiry"</code>" or "<code>"secret"</code>", which a rotation let go; "<code>"RATE_LIMITED"</code>" may be "<code>"limit"</code>", "<code>"key_slowed"</code>" or "<code>"address_slowed"</code>". An address that is blocked or slowed is refused before anybody looks at the key, so such a sample has none. One that is opened shows what was asked in order, up to the rule that decided. Filters are by time, API, key, route, code, rule, limit, address, missing permission and request id; "<code>"GET /api/v1/usage/refusals/export"</code>" knows the same."</p>

        <h2 id="exports">"Files"</h2>
        <p>"What Usage, Errors, Requests and Keys show can be exported as CSV or JSON at once, up to 50,000 lines. More is prepared by a job: press Prepare a file, or ask by REST. The page "<a href="/exports">"Exports"</a>" and "<code>"GET /api/v1/exports/{id}"</code>" say how far it is. A file has at most 2,000,000 lines, is yours alone, and is there for 24 hours after it is done; ten at a time. It tells the view as it was asked for, each line as it was when it was written, so the last bucket may hold calls that came meanwhile. A server that stops while it writes leaves what is written, and any other goes on there."</p>
        <CodeBlock id="exports-post" title="Ask, look, download" code=EXPORT/>
        <p>"A line of usage has "<code>"units"</code>", the cost units that passed, and "<code>"estimated_cost"</code>": what they are worth at the price of the plan that the key has today, to six decimals and not rounded up. It is an estimate, not a bill, and empty where no plan has a price. How long calls took, bucket by bucket, and the limits that Usage shows are files of their own ("<code>"GET /api/v1/usage/latencies/export"</code>", "<code>"GET /api/v1/usage/limits/export"</code>"). A cell that a spreadsheet would take for a formula begins with an apostrophe."</p>

        <h2 id="notices">"Mails before a limit is used up"</h2>
        <p>"At 80 and 100 % of a limit of an hour or longer its owner gets a mail, once for each mark in each window (of one that rolls in each filling, see "<a href="/docs#rolling">"Rolling windows"</a>", of "<a href="/docs#credits">"credits"</a>" once a day); other marks, or none, are set under Settings, Notifications. That holds for limits of a key and for those that all keys of a workspace share: these are used by every key that has no limit of its own or of its own plan. Limits are looked at once a minute."</p>
    }
    .into_any()
}
