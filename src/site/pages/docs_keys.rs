//! The parts of `/docs` about keys: what one is, who uses it, rotation, many from a list, and keys that have leaked.

use crate::ui::CodeBlock;
use leptos::prelude::*;

const SIGNERS: &str = r"curl -sf https://api.github.com/meta/public_keys/secret_scanning | tollgate leaks keys set -
tollgate leaks keys list";

const PATTERN: &str = "tg_(live|test)_[0-9A-Za-z]{36}";

const REPORT: &str = r#"POST /api/v1/leaked-keys
Github-Public-Key-Identifier: 90a4…
Github-Public-Key-Signature: MEUCIQ…

[{"token": "tg_live_…", "type": "tollgate_key", "url": "https://github.com/…/.env", "source": "content"}]

200 OK
[{"token_hash": "7e1b…", "token_type": "tollgate_key", "label": "true_positive"}]"#;

const LIST: &str = r#"name,permissions,bundles,expires,tags,addresses
till 1,orders:read orders:write,,30d,"shop,berlin",203.0.113.0/24
till 2,,order-desk,2027-01-31,shop,
back office,read-only,,never,,"#;

pub fn keys() -> AnyView {
    view! {
        <h2 id="keys">"What a key is"</h2>
        <p>"A key looks like "<code>"demo_live_…"</code>": the API's prefix, live or test, 30 random characters (178 bits) and a checksum of six. Tollgate keeps a SHA-256 of it and nothing else, so a lost key is replaced, not found. Send it as "<code>"Authorization: Bearer"</code>" (RFC 6750) or "<code>"X-API-Key"</code>", never in an address."</p>
        <p>"A key may be bound to networks: addresses or CIDR ranges (RFC 4632, RFC 4291), v4 and v6, on its page or as "<code>"addresses"</code>" over REST. Calls from elsewhere are answered "<code>"IP_DENIED"</code>" and shown with their address. Behind a proxy the client's address is believed from "<code>"TOLLGATE_TRUSTED_PROXIES"</code>" only; who asks by code sends it as "<code>"ip"</code>"."</p>
    }
    .into_any()
}

pub fn leaked() -> AnyView {
    view! {
        <h2 id="leaked">"Leaked keys"</h2>
        <p>"Secret scanning finds keys where anybody can read them, in repositories above all, and reports them to "<code>"POST /api/v1/leaked-keys"</code>" by the contract of GitHub's secret scanning partner program. The report needs no key: it is signed (ECDSA P-256 with SHA-256 over the raw body, FIPS 186-5), and checked by the public keys that an operator sets on the server. Until some are set the address answers 404; a report without a right signature is 401."</p>
        <CodeBlock id="leaks-keys" title="Take GitHub's public keys" code=SIGNERS/>
        <p>"The list takes the place of the one before, so run it by the clock, such as daily: all that it names count, what it left out counts no more. Then register with GitHub: the address "<code>"https://your-gate/api/v1/leaked-keys"</code>", and as the pattern of a key the regular expression below, with the prefix of each of your APIs in place of "<code>"tg"</code>". The last six characters are a checksum, so that false alarms are rare: CRC-32 (IEEE 802.3) of all that precedes, in base 62."</p>
        <CodeBlock id="leaks-pattern" title="Pattern" code=PATTERN/>
        <CodeBlock id="leaks-report" title="A report and its answer" code=REPORT/>
        <p>"A report has at most 1,000 tokens and 256 KiB. "<code>"true_positive"</code>" says that a token is, or was, the secret of a key here; "<code>"token_hash"</code>" is its SHA-256 in hexadecimal digits. The tokens themselves are neither stored nor logged. What a found key gets, once for each place, however often it is reported:"</p>
        <ul>
            <li>"a line in its history and an event, with where it was found;"</li>
            <li>"a mark on its page, in the list and in the filter “Leaked”, which stays until the secret has ended: rotate the key. An operator can clear it;"</li>
            <li>"a mail to the owner of its workspace, for the first place of each secret and whenever the key is disabled by it;"</li>
            <li>"if the workspace chose that at "<a href="/settings/notifications">"Notifications"</a>", it is disabled at once on every node; else it goes on, and you decide."</li>
        </ul>
        <p>"Keys that are revoked and secrets that have ended are answered "<code>"true_positive"</code>" and change nothing. A key that you found yourself is looked up by “Find by secret” on Keys, as its hash; searches take no whole key, since what is searched for stands in the address of the page. Operators report a leak of which they heard elsewhere on the page of the key or by "<code>"POST /api/v1/keys/{id}/leaked"</code>" with its "<code>"url"</code>", and clear one by "<code>"DELETE"</code>"."</p>
    }
    .into_any()
}

pub fn about() -> AnyView {
    view! {
        <h2 id="about-a-key">"Who uses a key"</h2>
        <p>"A key may carry an external id, the id that whoever uses it has with you ("<code>"customer-42"</code>", at most 200 characters), and metadata, a JSON object of at most 1 KiB: in the dialog for a new key, on its page, over REST ("<code>"external_id"</code>", "<code>"meta"</code>"), with "<code>"tollgate key create"</code>", in lists of new keys, and imported with Unkey's "<code>"externalId"</code>" and "<code>"meta"</code>". A verification answers both when the key passes, and nothing of them when it does not; a proxy gets "<code>"X-External-Id"</code>" where there is one, and must remove what clients send under this name. Lists and exports find keys by "<code>"external_id"</code>"."</p>
        <p>"Whoever may change a key says both: take them as the word of its workspace, not as a permission. Neither is a place for secrets."</p>
        <p>"The settings of a key may be open in two tabs, or before two people. A form that was opened before somebody else saved overwrites nothing: it says what is stored by now beside what you typed, and saves what stands there when you press Save again. So it is with the other forms of settings, too. Over REST "<code>"PATCH"</code>" writes only the fields that you send."</p>
        <p>"The history of a key, on its page, by "<code>"GET /api/v1/keys/{id}/history"</code>" and "<code>"tollgate key history ID"</code>", tells who changed what, when and why (a person may be called cli: over REST "<code>"is_account"</code>" tells them from the command line); once each that it expired and that an old secret ended, about a minute later (of very many at once it takes as long as writing them does); and bans of its owner and blocks of it or of its workspace."</p>
    }
    .into_any()
}

pub fn rotation() -> AnyView {
    view! {
        <h2 id="rotation">"Rotation"</h2>
        <p>"Rotating a key gives it a new secret; the old one is accepted until a time that you choose, or until a call passes with the new one ("<code>"POST /api/v1/keys/{id}/rotate"</code>"). While several are accepted, calls are counted by the secret that was sent, whatever became of them. The page of the key and "<code>"GET /api/v1/keys/{id}/secrets/{secret_id}/usage"</code>" tell of each the calls of the last hour and day and, since the rotation, the addresses and routes behind them. The counts are exact to a quarter of an hour; of addresses and routes the busiest are told, the rest stands in one line, of a secret that very many addresses sent as far back as its newest 10,000 rows reach ("<code>"users_since"</code>"), and all of it goes after 30 days unless your operator chose otherwise. A node that ends by force loses what it had not written in the last two seconds."</p>
        <p>"An old secret that nobody sent for three hours, since the rotation at the earliest, is said to be safe to drop ("<code>"is_safe_to_drop"</code>"). A program that runs once a day or a week does not show in three hours: if you have one, wait for it. Drop the old secret early, or move its end, in its menu, which asks first and says who still sends it, or by "<code>"DELETE"</code>" and "<code>"PATCH /api/v1/keys/{id}/secrets/{secret_id}"</code>"."</p>
        <p>"On the command line it is "<code>"tollgate key rotate ID --old-lives 24h"</code>" (or "<code>"now"</code>", "<code>"first-use"</code>", a day, a moment), "<code>"tollgate key secrets ID"</code>", "<code>"tollgate key extend-secret ID --old-lives 7d"</code>" and "<code>"tollgate key drop-secret ID"</code>"; the id of the secret stands behind that of the key where there are several old ones."</p>
    }
    .into_any()
}

pub fn many() -> AnyView {
    view! {
        <h2 id="many-at-once">"Many keys at once"</h2>
        <p>"One act goes to many keys, those that are ticked in the list or all that its filters leave, at most 10,000 a go: disable, enable, extend, tag, untag, revoke, and for operators give or take a plan. What will change is shown first; each key has its own line of history and its own event. Over REST it is "<code>"POST /api/v1/keys/bulk"</code>" with "<code>"dry_run"</code>", on the command line "<code>"tollgate key bulk disable --tagged season --dry-run"</code>". An operator's filter may name an owner ("<code>"owner"</code>", "<code>"--owner"</code>"), or reach the keys of every workspace ("<code>"everywhere"</code>" over REST; the command line always does)."</p>
        <h2 id="create-many">"Many keys from a list"</h2>
        <p>"Paste a list on "<a href="/keys/create-many">"Create many keys"</a>", or use "<code>"tollgate key create-many FILE --account E --api demo"</code>". It is CSV (RFC 4180) whose first line names the columns: "<code>"name"</code>" and, as you like, "<code>"permissions"</code>" (or one of the presets basic, read-only and admin, there or as "<code>"preset"</code>"), "<code>"bundles"</code>" of the API, "<code>"expires"</code>" (12h, 30d, 8w, 1y, a day, never), "<code>"tags"</code>", "<code>"external_id"</code>", "<code>"meta"</code>" (JSON in quotes), "<code>"addresses"</code>", "<code>"origins"</code>", "<code>"routes"</code>" (GET /orders/{id}; * /reports/*) and "<code>"environment"</code>"; operators also "<code>"limits"</code>" (100/hour 2000/day) and "<code>"account"</code>", the email of the owner. At most 1,000 keys, each name once."</p>
        <CodeBlock id="create-many-list" title="A list" code=LIST/>
        <p>"Each line is told what is wrong with which of its fields before anything is made; one wrong line keeps all from being made. Then all are made in one transaction, and the answer is a file "<code>"name,key_id,secret"</code>", given once: Tollgate keeps hashes only. Pressing the button twice makes nothing twice and gives the same file, for ten minutes; a page that is loaded again gives nothing. Cells that a spreadsheet would take for a formula begin with an apostrophe."</p>
        <p>"Over REST it is "<code>"POST /api/v1/keys/batch"</code>" with "<code>"api"</code>" and "<code>"keys"</code>", objects with the fields of a new key; "<code>"dry_run"</code>" only tells what is wrong, "<code>"Accept: text/csv"</code>" answers with the file, and sent twice with one "<a href="/docs/errors#idempotency-key">"Idempotency-Key"</a>" the second is answered 409, since the secrets were in the first answer."</p>
    }
    .into_any()
}
