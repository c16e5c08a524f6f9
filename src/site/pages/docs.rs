//! `/docs`: how to protect an API, ask about a key, and read the answers. The REST reference is `/docs/api`.

use crate::{
    accounts::Caller,
    ui::{CodeBlock, PublicFrame, SiteOrigin},
    values::Outcome,
};
use leptos::prelude::*;
use leptos_meta::Title;

const VERIFY: &str = r#"curl http://127.0.0.1:3000/api/v1/keys/verify \
  -H "Authorization: Bearer $SERVICE_KEY" \
  -H "Content-Type: application/json" \
  -d '{"key": "demo_live_…", "api": "demo", "permission": "orders:read", "route": "GET /orders"}'"#;

const ANSWER: &str = r#"{
  "valid": true,
  "code": "VALID",
  "api": "demo",
  "key_id": "key_01KAYV7QRE4Z5H8N2M3P6T9WXY",
  "account_id": "acc_01KAYV7QRD1B6C9F4G7J2K5N8Q",
  "workspace_id": "ws_01KAYV7QRD3R5S8T1V4W7X0Y6Z",
  "plan": "default",
  "permissions": ["orders:read"],
  "limits": [{"name": "default", "limit": 100, "remaining": 99, "reset_after": 2711}],
  "external_id": "customer-42",
  "meta": {"team": "checkout"}
}"#;

#[component]
pub fn DocsPage() -> impl IntoView {
    let entered = use_context::<Caller>().is_some();
    let links = vec![("API reference".to_owned(), "/docs/api".to_owned())];
    let outcomes = Outcome::ALL
        .into_iter()
        .map(|outcome| view! { <tr><th scope="row"><code>{outcome.as_str()}</code></th><td>{outcome.sentence()}</td></tr> })
        .collect_view();
    view! {
        <Title text="Docs"/>
        <PublicFrame links entered foot="Tollgate">
            {super::docs_contents::contents()}
            <article class="prose article">
                <h1>"Protect an API"</h1>
                <p>"Tollgate answers one question: may this call pass? Your proxy asks it for every call, or your code does. A key is made on the page "<a href="/keys">"Keys"</a>"; its usage is drawn on "<a href="/usage">"Usage"</a>"."</p>

                <h2 id="proxy">"By a proxy"</h2>
                <p>"The proxy sends the caller's headers to "<code>"/forward-auth/{api}"</code>". 200 means pass, and says who it is in "<code>"X-Key-Id"</code>", "<code>"X-Key-Owner"</code>", "<code>"X-Key-Plan"</code>" and "<code>"X-Key-Permissions"</code>", and in "<code>"X-External-Id"</code>" where the key has one; where its plan has entitlements that are a name or "<code>"name=value"</code>" they stand in "<code>"X-Key-Entitlements"</code>", with commas between. 401, 403 and 429 are answers for the caller, with a problem document (RFC 9457). Add "<code>"?permission=orders:write"</code>" to ask for a permission, "<code>"cost=2"</code>" to charge more than one unit."</p>
                {super::docs_proxies::proxies()}

                <h2 id="verify">"By your code"</h2>
                <p>"The asking service has a key of its own: for the API "<code>"tollgate"</code>", with the permission "<code>"keys:verify"</code>". Asking has no limit."</p>
                <CodeBlock id="verify-call" title="Question" code=SiteOrigin::in_example(VERIFY)/>
                <CodeBlock id="verify-answer" title="Answer" code=ANSWER/>

                {super::docs_routes::routes()}

                <h2 id="codes">"Codes"</h2>
                <div class="table-wrap"><table class="table"><caption class="visually-hidden">"Outcome codes"</caption>
                    <thead><tr><th scope="col">"Code"</th><th scope="col">"What the holder is told"</th></tr></thead>
                    <tbody>{outcomes}</tbody>
                </table></div>

                <h2 id="limits">"Limits"</h2>
                <p>"A key may use 100 units an hour unless an operator sets something else: 100 calls, where each costs one. Windows begin at multiples of their length since 1970, UTC: an hourly one at every full hour, a day at midnight; a month is the calendar month, UTC. A day or a month may also be that of a time zone of the IANA database: "<code>"day@Europe/Stockholm"</code>", "<code>"month@Europe/Stockholm"</code>". It begins there with midnight, so a day has 23 or 25 hours where the clocks change, and where they leave midnight out it begins with what follows. All these are fixed; there are "<a href="#rolling">"rolling ones"</a>", too, "<a href="#credits">"credits"</a>", which have no window, and limits of "<a href="#together">"calls at the same time"</a>". Within a window exactly the limit passes, however many calls come at once; a restart goes on with it, also when a server was killed. A limit counts cost units, one for a call unless its route or the asking service says otherwise; only limits of calls at the same time, and what a throttle or a block lets pass in a second, are of calls. Several limits are charged together: a call that one of them refuses charges none."</p>
                <p>"Limits are exact on several servers too: of a limit of N no more than N pass on all of them together. A server that is alone counts in memory and asks nobody, but for credits. Beside others it charges only blocks that it has leased from the database: what two seconds of its present pace use, at most a quarter of its even share of what is left, so that a block is asked for now and then and not for every call. A call that must wait for one waits half a second at most. A server that stops gives back what it holds, and so does one whose block lay idle for five seconds; what a server held that was killed is lost until the window ends: so much less than N may pass, never more. A server that joins answers when the others have told what they counted. If the database can't be reached and the block is used up, the answer is 503 with "<code>"Retry-After"</code>" (behind nginx 403 with "<code>"X-Auth-Status: 503"</code>"), not a refusal that would be a guess. What remains of a limit is then told as this server knows it: its block, and what nobody had when it last asked."</p>
                <p>"One case is left. A server that was alone and is cut off from the database goes on, for "<code>"TOLLGATE_DATABASE_OUTAGE"</code>" at most (15 minutes unless set otherwise). If another one starts meanwhile that reaches the database, it begins with what usage says was used, and what the first one passes while it is cut off comes on top ("<a href="#outages">"Without the database"</a>"). Who can't have that sets a shorter time."</p>
                <p>"Limits may stand at several levels. The nearest that sets any holds the key, with all that it sets: the key itself, the key's own plan, its workspace, the workspace's group, the workspace's plan, the group's plan, its API, and at last the default. What a workspace, its plan or its group allows is counted for all keys of the workspace together; every other level counts each key alone. A group holds each of its workspaces by itself: two workspaces of a group with 1,000 units a day may use 1,000 each. A workspace is in one group at most, and an account joins by its personal workspace. A key for Tollgate's own API is not held by its workspace, so that managing keys does not use up what a customer may call. The page of a key shows the levels under Why this limit? A plan without limits changes no limit; its name is still told as "<code>"X-Key-Plan"</code>" and "<code>"plan"</code>"."</p>
                <p>"The plan of a key stands right behind the key, since it was chosen for that one; what an operator set by hand for a workspace or its group says more than the plans that these have. Levels are never added up: a key that has any limit of its own, or a plan with limits, leaves what its workspace shares. Give it the workspace's limits, too, where it shall have both; they count its calls alone then. One place has up to 32 limits, each with a name of its own; every call is charged to all that hold it, so few are faster than many."</p>
                <p>"A limit over a day or longer is a quota: a call beyond it is answered "<code>"QUOTA_EXCEEDED"</code>", beyond a shorter one "<code>"RATE_LIMITED"</code>"; both are 429 unless the limit lets calls pass ("<a href="#over">"Beyond a limit"</a>"), and "<code>"violated"</code>" in the answer of a verification, "<code>"violated-policies"</code>" in a problem document, names every limit that the call would have broken. Changes of limits and plans hold within a second on every server. A limit that is new counts what was used of its present window before; of calls in the two seconds around the change some may be missed or counted twice."</p>
                <p>"Every answer tells the limit in the fields "<code>"RateLimit-Policy"</code>" and "<code>"RateLimit"</code>" (draft-ietf-httpapi-ratelimit-headers-11, whose fields are those of 10): q units in w seconds, of which r are left for the next t seconds. A refusal adds "<code>"Retry-After"</code>" in whole seconds (RFC 9110 §10.2.3)."</p>

                {super::docs_rolling::rolling()}
                {super::docs_credits::credits()}
                {super::docs_together::together()}
                {super::docs_over::over()}

                {super::docs_blocks::blocks()}

                <h2 id="keys">"Keys"</h2>
                <p>"A key looks like "<code>"demo_live_…"</code>": the API's prefix, live or test, 30 random characters (178 bits) and a checksum of six. Tollgate keeps a SHA-256 of it and nothing else, so a lost key is replaced, not found. Send it as "<code>"Authorization: Bearer"</code>" (RFC 6750) or "<code>"X-API-Key"</code>", never in an address."</p>
                <p>"A key may be bound to networks: addresses or CIDR ranges (RFC 4632, RFC 4291), v4 and v6, on its page or as "<code>"addresses"</code>" over REST. Calls from elsewhere are answered "<code>"IP_DENIED"</code>" and shown with their address. Behind a proxy the client's address is believed from "<code>"TOLLGATE_TRUSTED_PROXIES"</code>" only; who asks by code sends it as "<code>"ip"</code>"."</p>

                {super::docs_keys::about()}
                {super::docs_keys::rotation()}
                {super::docs_bundles::bundles()}
                {super::docs_bundles::grants()}
                {super::docs_signing::origins()}
                {super::docs_signing::signed()}

                <h2 id="import">"Keys of another system"</h2>
                <p>"Keys that you have given out elsewhere go on as they are, if their hashes are SHA-256 or SHA-512 (hexadecimal digits, base64 or base64url), bcrypt or Argon2: paste the list on "<a href="/keys/import">"Import keys"</a>" or choose a file there, send it to "<code>"POST /api/v1/keys/import"</code>", or use "<code>"tollgate key import keys.csv --account E --api demo --dry-run"</code>". A table has a first line such as "<code>"name,hash,permissions,tags,expires_at"</code>"; JSON is read as Unkey and Better Auth export it. Each line is told what would become of it before anything does. A list that is sent twice makes nothing twice, and brings back no secret that was ended here. It has at most 10,000 keys and 8 MB; what there is no time for in one go is said (“later”) and imported when the same list comes again. A key that has expired where it comes from is answered "<code>"EXPIRED"</code>" here, and is no news."</p>
                {super::docs_keys::imported_limits()}
                <p>"bcrypt (2a, 2b, 2y, cost 4 to 13) and Argon2 (PHC strings of at most 128 MiB, 512 MiB in all passes) come with a column "<code>"start"</code>": the first 8 to 16 characters of the secret, by which it is found (give no more than tell them apart), and of which at most 4 may be alike. At its first call through "<code>"POST /api/v1/keys/verify"</code>" or a proxy such a secret is tried, which takes up to a second, and its SHA-256 takes the place of the salted hash: the next call is as fast as any. A wrong one is answered "<code>"UNKNOWN"</code>". Two are tried at once, and after 10 wrong ones in a minute from one address, or 60 that begin the same, calls of secrets that were not used yet are answered 503 with "<code>"Retry-After"</code>". bcrypt reads only 72 bytes: longer secrets, and those with a NUL, are never accepted by it. Until its first use a leaked one is not found by its text."</p>

                {super::docs_keys::many()}

                {super::docs_keys::leaked()}

                <h2 id="revoked">"Revoked means revoked"</h2>
                <p>"Disabling, revoking, rotating, dropping a secret, changing permissions, addresses, origins, routes of a key, signed requests, expiry or limits, changing what routes need, and disabling or banning an account answer when every node (every server on the database) has confirmed the change, usually after a few milliseconds: “Refused on 2 of 2 nodes after 8 ms.” Over REST and on the command line it is "<code>"spread"</code>": "<code>"nodes"</code>", "<code>"confirmed"</code>", "<code>"milliseconds"</code>" and "<code>"missing"</code>". What is guaranteed:"</p>
                <ul>
                    <li>"When it says n of n, no node accepts the key any more. Only a call that was being decided at that very instant may still get its answer."</li>
                    <li>"A node that has not confirmed within two seconds is named. If it was paused or slow, it asks the database before it answers its next call, so it refuses as soon as it runs again. A node that was silent before is named without waiting."</li>
                    <li>"A node that is cut off from the database goes on from what it knew, so that an outage of Postgres refuses nothing: for 15 minutes, or "<code>"TOLLGATE_DATABASE_OUTAGE"</code>" (2 seconds to 1 day). Then it answers every question 503 with "<code>"Retry-After"</code>" (for nginx 403 with "<code>"X-Auth-Status: 503"</code>"), until it has read what changed."</li>
                    <li>"An old secret that lives until the new one is first used is refused from the call on that passes with the new one, on the node of that call, database or not. The others learn of it with the next usage that this node writes: within some seconds, and after an outage of Postgres when it is back. A node that ends by force before it has told of it learns it from the next use of the new one."</li>
                    <li>"A node that crashed is named like one that is cut off, until that time is over or it starts again on the same data folder."</li>
                </ul>
                <p>"The time is measured by a clock that nobody sets and that goes on while a process is paused or a machine sleeps; only a machine that is restored from a snapshot does not notice. A change of very many keys one by one (an import, a bundle that all of them hold) is applied row by row, and calls are answered meanwhile."</p>
                <p>"Limits and grants of a plan, a group, a workspace or an API stand once in memory, whatever the number of keys below: a change of them holds for all keys at once and is answered when every node has confirmed it, too. What was counted goes on. Where it brings a limit that is new for the keys, what they used of its window before is added in the background; of a million keys that takes some seconds."</p>

                {super::docs_usage::usage()}

                {super::docs_factors::factors()}
                {super::docs_factors::of_another_system()}
                {super::docs_sign_in::sign_in()}
                {super::docs_programs::programs()}
                {super::docs_bans::bans()}
                {super::docs_sessions::sessions()}
                {super::docs_acting::acting()}
                {super::docs_master_key::invitations()}
                {super::docs_account::account()}

                {super::docs_errors::errors()}
                {super::docs_rest::rest()}

                {super::docs_speed::speed()}
                {super::docs_outages::outages()}
                {super::docs_mails::mails()}
                {super::docs_master_key::master_key()}
                {super::docs_audit::audit()}
            </article>
        </PublicFrame>
    }
}
