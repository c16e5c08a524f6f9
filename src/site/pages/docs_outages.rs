//! The parts of `/docs` about what is refused while the database is away, and about who tells how a server does.

use leptos::prelude::*;

pub fn outages() -> AnyView {
    let rows = [
        (
            "Limits of a window, throttled and marked ones",
            "Nothing refused.",
            "What is leased goes on until the window ends, then 503. A window of seconds ends soon.",
        ),
        ("Rolling limits", "Nothing refused.", "What is leased goes on for a sixtieth of the window, then 503."),
        (
            "Credits",
            "Nothing refused: it goes on from what is left, with what comes back, and tells the database afterwards.",
            "What is leased goes on until the next refill, then 503.",
        ),
        ("Calls at the same time", "Nothing refused.", "Places that are lent go on for ten seconds, then 503."),
        (
            "Signed calls",
            "Nothing refused that was signed more than six minutes after it was alone: it remembers each nonce that can still be tried.",
            "503: another one may have seen the nonce.",
        ),
        ("Imported bcrypt and Argon2 secrets", "503 at the first use, which writes; nothing refused after it.", "As with one server."),
    ];
    let rows = rows.into_iter().map(|(what, one, several)| view! { <tr><th scope="row">{what}</th><td>{one}</td><td>{several}</td></tr> }).collect_view();
    view! {
        <h2 id="outages">"Without the database"</h2>
        <p>"A database that is slow, restarts or is away for minutes stops no verification: keys, rights, blocks and limits stand in memory, for "<code>"TOLLGATE_DATABASE_OUTAGE"</code>" (15 minutes unless set otherwise). What needs an answer of it waits half a second, signed calls two. 503 comes with "<code>"Retry-After"</code>", says why in its "<code>"code"</code>" ("<a href="/docs/errors#not-now">"Errors"</a>"), and charges nothing."</p>
        <div class="table-wrap"><table class="table"><caption class="visually-hidden">"What is refused while the database is away"</caption>
            <thead><tr><th scope="col">"What"</th><th scope="col">"One server"</th><th scope="col">"Each of several"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table></div>
        <ul>
            <li>"One server is one that knew of no other when the database went. What others used before they left it knows only once it has asked: a limit for which it had not, since it was alone, is answered 503."</li>
            <li>"Credits that pass are owed: in memory, as much as there are buckets in use, each with at most 64 refills. They are taken from the buckets before the server leases again or another one begins, once however often that is sent. What a server owed that was killed meanwhile stands in its data folder, and the next start on it tells that."</li>
            <li>"Nonces that pass are kept in the data folder before the call is answered, up to a million, and told to the database before another server begins; after "<code>"kill -9"</code>" the next start on that folder tells them. A server that starts on another folder, while one that was alone is silent, can't know them: it answers signed calls 503 until that one is back, or until ten minutes after it must have stopped ("<code>"TOLLGATE_DATABASE_OUTAGE"</code>"). Start again on the same data folder, and it waits for nothing. A file there that a power cut damaged is named in the log and left; of nonces it means the same wait."</li>
            <li>"A server that starts when the database is back waits up to three seconds for one that was alone and is silent, so that what passed meanwhile is counted. If the old one was cut off for longer, though another reached the database, what it passes comes on top of windows; of credits it is taken off afterwards, and the bucket may stand below nothing until as much came back."</li>
        </ul>
    }
    .into_any()
}

pub fn health() -> AnyView {
    view! {
        <h2 id="health">"Health, metrics, connections"</h2>
        <p>"How a server does, in an outage too, is told by "<code>"GET /readyz"</code>" (a problem document with "<code>"parts"</code>": the database and for how long it is away, whether and for how long keys are still verified, how many counters wait) and, where the operator set "<code>"TOLLGATE_METRICS_ADDR"</code>", by "<code>"GET /metrics"</code>" in Prometheus' format: verifications by code, keys, the database, counters, the spool's bytes, the lag of writing, connections and how many were turned away, jobs waiting and dead. It answers without the database, and only on that address, which your own network alone should reach."</p>
        <p>"At most 10,000 connections are open at once ("<code>"TOLLGATE_MAX_CONNECTIONS"</code>"), or as many as the system's limit of open files leaves: what comes beyond is closed at once, counted, and said in the log once a minute. A connection over which nothing is asked, or whose client takes nothing of its answer, is closed after "<code>"TOLLGATE_IDLE_TIMEOUT"</code>" (75 seconds)."</p>
    }
    .into_any()
}
